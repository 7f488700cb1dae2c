// Step: installs Node 24 and the packages of package-lock.json with npm ci.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  npmCommand,
  runLogged,
  SetUpError,
  writeAside,
} from '../packages/torch/src/setup/index.mjs';
import { pinnedNode, root, state } from './places.mjs';

const stamp = join(root, 'node_modules', '.keel-setup.json');
const lockFile = join(root, 'package-lock.json');

export async function installPackages(doing) {
  const lock = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const there = existsSync(pinnedNode);
  if (there && readJson(stamp)?.lock === lock) return 'already there';
  // After a manual npm install, everything is there already.
  if (there && isInstalled()) {
    writeAside(stamp, JSON.stringify({ lock }));
    return 'already there';
  }
  doing('npm ci: Node 24 and the packages');
  const [command, ...first] = npmCommand();
  const log = join(state, 'npm-ci.log');
  // NODE_ENV=production would exclude Node itself and the test runner.
  await runLogged(command, [...first, 'ci', '--include=dev', '--loglevel=notice'], {
    cwd: root,
    log,
    what: 'npm ci',
    advice: 'Check the network and the registry that npm uses. Then run this again.',
  });
  if (!existsSync(pinnedNode)) {
    throw new SetUpError(
      `npm ci did not install ${pinnedNode}. The package node downloads it in an install script: if ` +
        'npm uses ignore-scripts, run this again with npm_config_ignore_scripts=false.\n' +
        `npm's output is in ${log}.`,
    );
  }
  writeAside(stamp, JSON.stringify({ lock }));
  return 'npm ci: Node 24 and the packages';
}

/** Whether npm's record of node_modules matches package-lock.json. */
function isInstalled() {
  const wanted = readJson(lockFile)?.packages ?? {};
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    // Packages for other platforms are optional and absent.
    return found ? found.version === entry.version : entry.optional === true;
  });
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}
