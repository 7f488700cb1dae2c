#!/usr/bin/env node
// The `keel` command. Whatever Node starts it, src/main.ts runs under the pinned Node 24.
import { existsSync } from 'node:fs';
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
const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) await import(pathToFileURL(main).href);
else await handOver(node, [main, ...process.argv.slice(2)]);
