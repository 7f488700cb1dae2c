// Builds the pages into ../pages: written aside and renamed, so that a Studio that starts meanwhile
// finds the old pages or the new ones.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(root, '.pages-'));
try {
  const outDir = join(folder, 'new');
  const configFile = fileURLToPath(new URL('vite.config.mjs', import.meta.url));
  await build({ configFile, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  for (const path of readdirSync(outDir, { recursive: true })) {
    if (!['.js', '.css', '.html', '.svg'].includes(extname(path))) continue;
    const file = join(outDir, path);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
  const pages = join(root, 'pages');
  try {
    renameSync(pages, join(folder, 'old'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(outDir, pages);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
