// A Studio on a new store, with pages in Chromium that are signed in.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { type Studio, type StudioOptions, startStudio } from '../server/start-studio.ts';
import { openBrowser } from './browser.ts';

export const TEST_KEY = 'a-key-for-tests-only';

export interface TestStudio extends AsyncDisposable {
  studio: Studio;
  folder: string;
  /** What was logged beside requests. */
  logged: string[];
  /** Errors of pages: exceptions, failed requests and messages on the console. */
  problems: string[];
  /** A new browser profile. */
  profile(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A page that is signed in as the owner, at a path. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** A page of a profile, whose problems are collected. */
  pageOf(profile: BrowserContext, path: string): Promise<Page>;
}

/** Starts a Studio and a browser; both end when it is disposed of. */
export async function openTestStudio(options: Partial<StudioOptions> = {}): Promise<TestStudio> {
  const folder = mkdtempSync(join(tmpdir(), 'keel-studio-test-'));
  await using starting = new AsyncDisposableStack();
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const logged: string[] = [];
  const problems: string[] = [];
  const studio = await startStudio({
    ...{ database: join(folder, 'studio.sqlite'), port: 0, key: TEST_KEY, owner: 'Owner' },
    ...{ log: (text: string) => void logged.push(text), ...options },
  });
  starting.use(studio);
  const browser: Browser = await openBrowser();
  starting.defer(() => browser.close());

  // Without animations: a page is looked at as it will be.
  const profile = (given?: BrowserContextOptions) =>
    browser.newContext({ reducedMotion: 'reduce', ...given });
  async function pageOf(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(`${studio.url}${path}`);
    return page;
  }
  const open = async (path: string, given?: BrowserContextOptions) =>
    pageOf(
      await profile(given),
      `${studio.link.slice(studio.url.length)}&to=${encodeURIComponent(path)}`,
    );
  const owned = starting.move();
  return {
    ...{ studio, folder, logged, problems, profile, open, pageOf },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
