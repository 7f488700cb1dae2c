#!/usr/bin/env node
// The `keel` command. Whatever Node starts it, src/main.ts runs under the pinned Node 24.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { handOver } from './hand-over.mjs';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The nearest pinned Node in a node_modules folder here or above. */
function findPinnedNode() {
  for (let folder = dirname(main); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(node)) return node;
    if (folder === dirname(folder)) return null;
  }
}

const node = findPinnedNode();
if (node === null) {
  const folder = fileURLToPath(new URL('../../../', import.meta.url));
  console.error(`Keel is not set up yet. Run \`npm run setup\` in ${folder}`);
  process.exit(1);
}

/** Where Node keeps what it compiled: a quarter of a second less at every start. NODE_DISABLE_COMPILE_CACHE=1 turns it off. */
const compiled = join(process.env.KEEL_CACHE || join(homedir(), '.cache', 'keel'), 'compiled');

const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? compiled);
  await import(pathToFileURL(main).href);
} else {
  const env = { NODE_COMPILE_CACHE: compiled, ...process.env };
  await handOver(node, [main, ...process.argv.slice(2)], env);
}
