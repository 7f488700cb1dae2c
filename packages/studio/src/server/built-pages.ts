// The built pages: they come with an installed package, and are built in a clone.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = join(root, 'web');
const pages = join(root, 'pages');

/**
 * The folder of the built pages. In a clone, builds them if a source is newer.
 * @throws Error if they cannot be built
 */
export async function builtPages(log: (text: string) => void): Promise<string> {
  const page = join(pages, 'index.html');
  const built = existsSync(page) ? statSync(page).mtimeMs : 0;
  if (!existsSync(sources) || newest(sources) <= built) {
    if (built > 0) return pages;
    throw new Error(`${pages} is missing: reinstall @keel/studio`);
  }
  log('Building the pages of the Studio …');
  const build = spawn(process.execPath, [join(sources, 'build.mjs')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let said = '';
  build.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    build.once('error', reject);
    build.once('close', resolve);
  });
  if (code !== 0) throw new Error(`The pages could not be built. Run npm ci first.\n${said}`);
  return pages;
}

/** When something in a folder was last changed, in milliseconds. */
function newest(folder: string): number {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}
