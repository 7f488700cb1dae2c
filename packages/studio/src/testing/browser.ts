// Chromium for the tests of the pages.
import { type Browser, chromium } from 'playwright-core';
import { browserPath } from './browser-path.ts';

/** @throws Error that says what to install where there is no Chromium */
export function openBrowser(): Promise<Browser> {
  const executablePath = browserPath();
  if (executablePath === null) {
    throw new Error(
      'The tests of the pages need Chromium: apt-get install chromium, or name one in KEEL_CHROMIUM',
    );
  }
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic'],
  });
}
