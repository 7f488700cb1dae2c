// The folder of a package as it is published: JavaScript, declarations, assets and manifest.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { sourcesHash } from '../../packages/torch/src/setup/index.mjs';
import { root } from '../places.mjs';

/** Node 22.18 is the first version that runs users' TypeScript modules without a flag. */
const engines = { node: '>=22.18' };

/** What belongs to tests and to the clone: see tsconfig.build.json too. */
const unpublished = /(^|\/)(fixtures|testing|quickstart)(\/|$)|\.test\.ts$/;

/**
 * @param {string} source folder of the package in the clone
 * @param {string} compiled folder of its compiled `src`
 * @param {string} target a folder that does not exist yet
 * @returns {string} the target
 */
export function stagePackage(source, compiled, target) {
  const dist = join(target, 'dist');
  cpSync(compiled, dist, { recursive: true });
  for (const file of filesIn(dist).filter((path) => path.endsWith('.d.ts'))) {
    writeFileSync(file, withJsImports(readFileSync(file, 'utf8')));
  }
  for (const file of filesIn(join(source, 'src')).filter(isAsset)) {
    const path = relative(join(source, 'src'), file);
    if (!unpublished.test(path)) copy(file, join(dist, path));
  }
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  for (const name of manifest.files) {
    if (name === 'dist') continue;
    const filter = (path) => !unpublished.test(relative(source, path));
    cpSync(join(source, name), join(target, name), { recursive: true, filter });
  }
  copy(join(root, 'LICENSE'), join(target, 'LICENSE'));
  copy(join(source, 'README.md'), join(target, 'README.md'));
  const text = JSON.stringify(published(manifest, existsSync(join(source, 'native'))), null, 2);
  writeFileSync(join(target, 'package.json'), `${text}\n`);
  return target;
}

/** The manifest of the clone names TypeScript; the published one, what it compiles to. */
function published({ scripts: _, devDependencies: __, exports, ...manifest }, hasNative) {
  const shown = Object.entries(exports ?? {}).filter(([, path]) => !unpublished.test(path));
  const compiledExports = shown.map(([name, path]) => [name, targets(path)]);
  return {
    ...manifest,
    engines,
    ...(exports && {
      exports: { ...Object.fromEntries(compiledExports), './package.json': './package.json' },
    }),
    // Says where the addon of an installed package is: see locate-libtorch.mjs.
    ...(hasNative && { nativeSources: sourcesHash() }),
  };
}

function targets(path) {
  const [types, script] = { '.ts': ['.d.ts', '.js'], '.mjs': ['.d.mts', '.mjs'] }[extname(path)];
  const stem = path.replace(/^\.\/src\//, './dist/').slice(0, -extname(path).length);
  return { types: stem + types, default: stem + script };
}

/** TypeScript rewrites the endings of imports in JavaScript only. */
const withJsImports = (text) =>
  text.replace(/(\bfrom |\bimport\(|^import )(['"]\.{1,2}\/[^'"]+)\.ts(['"])/gm, '$1$2.js$3');

/** Files that the compiler does not write: styles, Python programs, data, JavaScript. */
const isAsset = (path) => !/(?<!\.d)\.ts$/.test(path);

export const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
