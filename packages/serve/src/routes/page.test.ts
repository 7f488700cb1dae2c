// The page at / in Chromium: a chat with two models side by side. Skipped without Chromium, which
// KEEL_CHROMIUM names if it is not on the PATH.
import { execFileSync } from 'node:child_process';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Server } from '../start-server.ts';
import { serveTiny, TinyModel } from '../testing/tiny-server.ts';

function browserPath(): string | null {
  const own = process.env.KEEL_CHROMIUM;
  for (const name of own === undefined ? ['chromium', 'google-chrome'] : [own]) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // The next one.
    }
  }
  return null;
}

const executablePath = browserPath();

interface ChatAnswer {
  message: { content: string };
}

describe.skipIf(executablePath === null)('the page', () => {
  let tiny: TinyModel;
  let server: Server;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    tiny = await TinyModel.open();
    ({ server } = await serveTiny(tiny, { adapters: { one: tiny.adapter('one', 1) } }));
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await tiny?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('requestfailed', (request) => problems.push(request.url()));
    await page.goto(server.url);
    await page.waitForSelector('#left option:nth-child(2)', { state: 'attached' });
  });

  const set = (id: string, value: string) => page.locator(`#${id}`).fill(value);
  const turns = (side: string): Promise<(string | null)[]> =>
    page.$$eval(`#${side}-turns li`, (items) =>
      items.map((item) => item.firstChild?.textContent ?? null),
    );
  /** The notes under the answers, such as "12 tokens, 80.0 a second". */
  const facts = (side: string): Promise<(string | null)[]> =>
    page.$$eval(`#${side}-turns .facts`, (notes) => notes.map((note) => note.textContent));
  async function say(text: string): Promise<void> {
    await page.locator('#message').fill(text);
    await page.keyboard.press('Enter');
  }
  const finished = () => page.waitForSelector('#stop:disabled');

  test('chats with the base and an adapter, each with its own answers', async () => {
    await set('temperature', '0');
    await set('length', '12');
    await page.selectOption('#left', 'tiny');
    await page.selectOption('#right', 'one');
    await say('hello');
    await finished();
    const [left, right] = [await turns('left'), await turns('right')];
    expect([left[0], right[0]]).toEqual(['hello', 'hello']);
    expect([left, right].map(({ length }) => length)).toEqual([2, 2]);
    const client = (model: string) =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          ...{ model, temperature: 0, max_tokens: 12 },
          messages: [{ role: 'user', content: 'hello' }],
        }),
      }).then((response) => response.json() as Promise<{ choices: [ChatAnswer] }>);
    for (const [model, found] of [['tiny', left] as const, ['one', right] as const]) {
      const { choices } = await client(model);
      expect(found[1]).toBe(choices[0].message.content);
    }
    expect(await facts('left')).toEqual([expect.stringMatching(/\d+ tokens, [\d.]+ a second$/)]);
    await say('world');
    await finished();
    expect(await turns('right')).toHaveLength(4);
    await page.click('#clear');
    expect(await turns('left')).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('shows the message of a refusal, and goes on without the question', async () => {
    const asked: { role: string; content: string }[][] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') asked.push(JSON.parse(request.postData()!).messages);
    });
    await set('length', '100000');
    await say('hello');
    await page.waitForSelector('#problem:not([hidden])');
    expect(await page.$eval('#problem', (one) => one.textContent)).toMatch(
      /context is 2048 tokens/,
    );
    await set('length', '4');
    await say('again');
    await finished();
    expect(await facts('left')).toContainEqual(expect.stringContaining('tokens'));
    expect(await page.$('#problem[hidden]')).not.toBeNull();
    expect(asked.at(-1)).toEqual([{ role: 'user', content: 'again' }]);
  });
});
