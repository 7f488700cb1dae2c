// Chromium for the tests of the pages. Unlike a unit test they cannot be skipped: a page that was
// not looked at is not tested.
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** @throws Error that says what to install where there is no Chromium */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic'],
  });
}

function browserPath(): string {
  const own = process.env.KEEL_CHROMIUM;
  const names = own === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [own];
  for (const name of names) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch {
      // The next one.
    }
  }
  throw new Error(
    own === undefined
      ? 'The tests of the pages need Chromium: apt-get install chromium, or name one in KEEL_CHROMIUM'
      : `KEEL_CHROMIUM names ${own}, which is not there`,
  );
}
