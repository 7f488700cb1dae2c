// Where Chromium is. Loads nothing else, for vitest's configuration too.
import { execFileSync } from 'node:child_process';

/** The one that KEEL_CHROMIUM names, otherwise the first on the PATH; null: there is none. */
export function browserPath(): string | null {
  const own = process.env.KEEL_CHROMIUM;
  const names = own === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [own];
  for (const name of names) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch {
      // The next one.
    }
  }
  return null;
}
