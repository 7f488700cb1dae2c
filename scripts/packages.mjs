// Step: Node 24 and the packages of package-lock.json, by npm ci.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedNode, root, state } from './places.mjs';
import { runLogged, SetUpError } from './steps.mjs';
import { npmCommand } from './tools.mjs';
import { writeAside } from './write-aside.mjs';

const stamp = join(root, 'node_modules', '.keel-setup.json');
const lockFile = join(root, 'package-lock.json');

export async function installPackages(doing) {
  const lock = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const there = existsSync(pinnedNode);
  if (there && readJson(stamp)?.lock === lock) return 'already there';
  // Someone who ran npm by hand has what npm ci would bring.
  if (there && isInstalled()) {
    writeAside(stamp, JSON.stringify({ lock }));
    return 'already there';
  }
  doing('npm ci: Node 24 and the packages');
  const [command, ...first] = npmCommand();
  const log = join(state, 'npm-ci.log');
  // NODE_ENV=production would leave out Node itself and the test runner.
  await runLogged(command, [...first, 'ci', '--include=dev', '--loglevel=notice'], {
    cwd: root,
    log,
    what: 'npm ci',
    advice: 'Check the network and the registry that npm is configured for, then run this again.',
  });
  if (!existsSync(pinnedNode)) {
    throw new SetUpError(
      `npm ci did not bring ${pinnedNode}. The package node fetches it in an install script: if npm ` +
        'is configured with ignore-scripts, run this again with npm_config_ignore_scripts=false.\n' +
        `npm's output is in ${log}.`,
    );
  }
  writeAside(stamp, JSON.stringify({ lock }));
  return 'npm ci: Node 24 and the packages';
}

/** Whether npm's own record of node_modules holds what package-lock.json asks for. */
function isInstalled() {
  const wanted = readJson(lockFile)?.packages ?? {};
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    // Packages of other platforms are optional and absent.
    return found ? found.version === entry.version : entry.optional === true;
  });
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}
