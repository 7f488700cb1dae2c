// npm run pack [-- <folder>]: builds the packages and writes their tarballs (default:
// build/packages). Types are not checked here; `npm test` does that.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { checkPackage } from './pack/check-package.mjs';
import { stagePackage } from './pack/stage-package.mjs';
import { root } from './places.mjs';

/** A package that other projects install; `private` ones stay in the clone. */
function isPublished(name) {
  const path = join('packages', name, 'package.json');
  const manifest = JSON.parse(readFileSync(join(root, path), 'utf8'));
  if (manifest.private) return false;
  const missing = ['description', 'files', 'license'].filter((key) => manifest[key] === undefined);
  if (missing.length > 0) throw new Error(`${path} has no ${missing.join(' and no ')}`);
  return true;
}

const folder = resolve(process.argv[2] ?? join(root, 'build', 'packages'));
const compiled = join(folder, 'compiled');
const run = (command, args) =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

for (const name of ['compiled', 'staged'])
  rmSync(join(folder, name), { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const tsc = join(root, 'node_modules', '.bin', 'tsc');
run(tsc, ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', compiled]);

// The pages of the Studio are published as they are built.
run(process.execPath, [join(root, 'packages', 'studio', 'web', 'build.mjs')]);

const names = readdirSync(join(root, 'packages')).sort().filter(isPublished);
const staged = names.map((name) => {
  const source = join(root, 'packages', name);
  return stagePackage(source, join(compiled, name, 'src'), join(folder, 'staged', name));
});
const problems = staged.flatMap(checkPackage);
if (problems.length > 0) {
  console.error(`The packages are not complete:\n${problems.map((one) => `  ${one}`).join('\n')}`);
  process.exit(1);
}
const options = ['--json', '--pack-destination', folder];
const packed = JSON.parse(run('npm', ['pack', ...options, ...staged]));
for (const { filename, entryCount, size, unpackedSize } of packed) {
  const kilobytes = (bytes) => `${Math.ceil(bytes / 1000)} kB`.padStart(8);
  const file = relative('', join(folder, filename));
  const files = `${entryCount} files`.padStart(11);
  console.log(`${kilobytes(size)},${kilobytes(unpackedSize)} unpacked,${files}  ${file}`);
}
