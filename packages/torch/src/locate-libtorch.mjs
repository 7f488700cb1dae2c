// Finds LibTorch and the compiled addon. Plain JavaScript without dependencies: setup runs it under
// Node 20 before anything is installed, and at run time it is used to load the addon.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version to install if none is found. */
export const LIBTORCH_VERSION = '2.13.0';

/** The minor versions of LibTorch 2 that the addon compiles with and is tested with. */
export const SUPPORTED = { major: 2, oldest: 11, newest: 13 };

const packageFolder = fileURLToPath(new URL('../', import.meta.url));

/**
 * @typedef {object} LibTorch
 * @property {string} root folder with lib, include and share
 * @property {string} version as LibTorch writes it, for example 2.13.0+cpu
 * @property {string | null} cuda CUDA version of the build, null for a build without CUDA
 * @property {true} cxx11abi every supported build has the C++11 ABI
 * @property {'KEEL_LIBTORCH' | 'python' | 'cache'} source where it was found
 */

/** Keel's cache folder: KEEL_CACHE, else ~/.cache/keel. */
export function cacheFolder(env = process.env) {
  return resolve(env.KEEL_CACHE || join(homedir(), '.cache', 'keel'));
}

/** Folder into which setup installs LibTorch; LibTorch itself is its subfolder torch. */
export function cachedLibtorch(env = process.env) {
  return join(cacheFolder(env), `libtorch-${LIBTORCH_VERSION}`);
}

/** The Python command: KEEL_PYTHON, or python3 from the PATH. */
export function pythonCommand(env = process.env) {
  const chosen = env.KEEL_PYTHON;
  if (!chosen) return 'python3';
  return chosen.includes('/') ? resolve(chosen) : chosen;
}

/**
 * Finds LibTorch for the addon in KEEL_LIBTORCH, the active Python's torch or Keel's cache, in this
 * order; null if there is none. Problems with a LibTorch that cannot be used are passed to `note`.
 * If KEEL_LIBTORCH itself cannot be used, this throws, because an explicit choice must not be
 * ignored.
 *
 * @param {{ env?: NodeJS.ProcessEnv, note?: (text: string) => void }} [options]
 * @returns {LibTorch | null}
 */
export function locateLibtorch({ env = process.env, note = () => {} } = {}) {
  if (env.KEEL_LIBTORCH) {
    const found = inspectLibtorch(explicitRoot(env));
    if ('problem' in found) {
      throw new Error(
        `KEEL_LIBTORCH is ${env.KEEL_LIBTORCH}, but ${found.problem}. Set it to an unpacked LibTorch ` +
          'or to the torch folder inside a site-packages folder, or unset it.',
      );
    }
    return { ...found, source: 'KEEL_LIBTORCH' };
  }
  const candidates = [
    ['python', pythonTorch(env)],
    ['cache', join(cachedLibtorch(env), 'torch')],
  ];
  for (const [source, root] of candidates) {
    if (root === null || !existsSync(root)) continue;
    const found = inspectLibtorch(root);
    if (!('problem' in found)) return { ...found, source };
    note(`Skipped ${root}: ${found.problem}`);
  }
  return null;
}

/** A site-packages folder is accepted in place of its torch folder. */
function explicitRoot(env) {
  const named = resolve(env.KEEL_LIBTORCH);
  const inside = join(named, 'torch');
  return !existsSync(join(named, 'lib')) && existsSync(join(inside, 'lib')) ? inside : named;
}

/** The active Python's torch folder, found without importing torch, which takes seconds. */
function pythonTorch(env) {
  const program =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.origin if s and s.origin else "")';
  // Run in the root folder, where no project folder named torch can be mistaken for the package.
  const python = spawnSync(pythonCommand(env), ['-c', program], {
    cwd: '/',
    env,
    encoding: 'utf8',
  });
  const origin = python.status === 0 ? python.stdout.trim() : '';
  return origin === '' ? null : dirname(origin);
}

/**
 * The version and build of a LibTorch folder, or the problem with it.
 *
 * @param {string} root
 */
export function inspectLibtorch(root) {
  const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
  for (const part of [`lib/libtorch_cpu.${suffix}`, 'include', 'share/cmake']) {
    if (!existsSync(join(root, part))) return { problem: `${join(root, part)} is missing` };
  }
  const { version, cuda } = readVersion(root);
  if (version === null) {
    return { problem: 'it has no version.py or build-version that gives the version' };
  }
  const [major, minor] = version.split('.').map(Number);
  if (major !== SUPPORTED.major || minor < SUPPORTED.oldest || minor > SUPPORTED.newest) {
    const range = `${SUPPORTED.major}.${SUPPORTED.oldest} to ${SUPPORTED.major}.${SUPPORTED.newest}`;
    return { problem: `it is LibTorch ${version}, but Keel needs ${range}` };
  }
  return { root, version, cuda, cxx11abi: /** @type {const} */ (true) };
}

/** Python's torch has version.py; an unpacked LibTorch archive has build-version. */
function readVersion(root) {
  const python = readText(join(root, 'version.py'));
  if (python !== null) {
    return {
      version: /^__version__\s*=\s*['"]([^'"]+)['"]/m.exec(python)?.[1] ?? null,
      cuda: /^cuda\b[^=\n]*=\s*['"]([^'"]+)['"]/m.exec(python)?.[1] ?? null,
    };
  }
  const version = readText(join(root, 'build-version'))?.trim() || null;
  const digits = /\+cu(\d+)(\d)$/.exec(version ?? '');
  return { version, cuda: digits ? `${digits[1]}.${digits[2]}` : null };
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/**
 * Folder of compiled addons: `build` in a clone. npm replaces installed packages, so theirs is in
 * Keel's cache, for the sources that scripts/pack.mjs named in the package.
 */
export function addonFolder(env = process.env) {
  const { nativeSources } = JSON.parse(readText(join(packageFolder, 'package.json')) ?? '{}');
  return nativeSources === undefined
    ? join(packageFolder, 'build')
    : join(cacheFolder(env), 'addons', nativeSources);
}

/**
 * The last build, found without running Python: the addon's path and the LibTorch that it was
 * compiled for; null if nothing is built.
 *
 * @returns {{ addon: string, torch: LibTorch } | null}
 */
export function currentBuild(folder = addonFolder()) {
  const text = readText(join(folder, 'current.json'));
  if (text === null) return null;
  const { addon, torch } = JSON.parse(text);
  const path = join(folder, addon);
  return existsSync(path) ? { addon: path, torch } : null;
}

/**
 * Path of the compiled addon; null if nothing is built. Throws if KEEL_LIBTORCH names a LibTorch
 * other than the one that the addon was compiled for.
 *
 * @returns {string | null}
 */
export function addonPath(env = process.env, folder = addonFolder(env)) {
  const build = currentBuild(folder);
  if (build === null) return null;
  if (env.KEEL_LIBTORCH && explicitRoot(env) !== build.torch.root) {
    throw new Error(
      `KEEL_LIBTORCH is ${env.KEEL_LIBTORCH}, but the addon was compiled for ${build.torch.root}. ` +
        'Run `npx keel setup` to compile it again, or unset KEEL_LIBTORCH.',
    );
  }
  return build.addon;
}
