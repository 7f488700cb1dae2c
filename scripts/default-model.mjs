// Step: downloads the default model and verifies its hash.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../packages/torch/src/locate-libtorch.mjs';
import { runLogged } from '../packages/torch/src/setup/index.mjs';
import { pinnedEnvironment, pinnedNode, root, state } from './places.mjs';

const stamp = join(state, 'default-model.json');

/** @param {(text: string) => void} doing */
export async function provideDefaultModel(doing) {
  const known = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : null;
  const isThere =
    known?.cache === cacheFolder() &&
    existsSync(known.path) &&
    statSync(known.path).size === known.bytes &&
    statSync(known.path).mtimeMs === known.modified;
  if (isThere) return `already in ${known.path}`;
  doing('downloading SmolLM2-135M-Instruct and verifying its hash');
  await runLogged(pinnedNode, [join(root, 'scripts', 'fetch-default-model.ts'), stamp], {
    log: join(state, 'default-model.log'),
    what: 'Downloading the default model',
    env: pinnedEnvironment(),
  });
  return `SmolLM2-135M-Instruct in ${JSON.parse(readFileSync(stamp, 'utf8')).path}`;
}
