#!/usr/bin/env node
// The `keel` command. In a clone it runs src/main.ts on Node 24 or newer, in an installed package
// dist/main.js on Node 22.18 or newer; with an older Node, it hands over to the pinned one.
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { handOver } from './hand-over.mjs';

const [source, compiledMain] = ['../src/main.ts', '../dist/main.js'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const installed = existsSync(compiledMain);
const main = installed ? compiledMain : source;
const [oldestMajor, oldestMinor] = installed ? [22, 18] : [24, 0];
const [major, minor] = process.versions.node.split('.').map(Number);
const newEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);

/** The nearest pinned Node, in a node_modules folder here or in a parent folder. */
function findPinnedNode() {
  for (let folder = dirname(main); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(node)) return node;
    if (folder === dirname(folder)) return null;
  }
}

const node = findPinnedNode();
if (installed && node === null && !newEnough) {
  console.error(
    `Keel needs Node ${oldestMajor}.${oldestMinor} or newer; this is ${process.version}.`,
  );
  process.exit(1);
}
if (!installed && node === null) {
  const folder = fileURLToPath(new URL('../../../', import.meta.url));
  console.error(`Keel is not set up yet. Run \`npm run setup\` in ${folder}`);
  process.exit(1);
}

/**
 * Folder of Node's compile cache, which saves a quarter of a second at every start.
 * NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 */
const compiled = join(process.env.KEEL_CACHE || join(homedir(), '.cache', 'keel'), 'compiled');

/**
 * Creates a folder and its parents. Node's recursive mkdir never returns for paths below /proc.
 * @param {string} path
 * @returns {boolean} whether it exists now
 */
function makeFolder(path) {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      mkdirSync(path);
      return true;
    } catch (error) {
      if (error.code === 'EEXIST') return true;
      if (error.code !== 'ENOENT' || dirname(path) === path || attempt > 0) return false;
      if (!makeFolder(dirname(path))) return false;
    }
  }
  return false;
}

const chosen = process.env.NODE_COMPILE_CACHE;
const cache = chosen ?? (makeFolder(compiled) ? compiled : undefined);
if (newEnough) {
  if (cache !== undefined) module.enableCompileCache(cache);
  await import(pathToFileURL(main).href);
} else {
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  await handOver(node, [main, ...process.argv.slice(2)], env);
}
