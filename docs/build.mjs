// npm run docs: API pages by typedoc, then the site by VitePress, into docs/.vitepress/dist.
// Installs the packages of docs/package-lock.json first if they are missing or differ.
// `npm run docs -- check` builds the pages without the API, to find dead links; `-- dev` serves the
// pages and updates them as files change; `-- preview` serves the built site.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const [what = 'build'] = process.argv.slice(2);
if (!['build', 'check', 'dev', 'preview'].includes(what)) {
  console.error(`error: unknown argument "${what}". Use build, check, dev or preview`);
  process.exit(2);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (error) console.error(`error: ${command} did not start: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether node_modules has the versions that package.json pins. */
function installed() {
  const { devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(devDependencies).every(([name, version]) => {
    const file = join(folder, 'node_modules', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
  });
}

const bin = (name) => join(folder, 'node_modules', '.bin', name);

if (!installed()) run('npm', ['ci']);
if (what === 'check') rmSync(join(folder, 'api'), { recursive: true, force: true });
if (what === 'build' || what === 'dev') run(bin('typedoc'), ['--options', 'typedoc.json']);
run(bin('vitepress'), [what === 'check' ? 'build' : what, '.']);
