// Finds LibTorch and the compiled addon. Plain JavaScript without dependencies: the set-up runs it
// under Node 20 before anything is installed, and the run time uses it to load the addon.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version that is installed where none is found. */
export const LIBTORCH_VERSION = '2.13.0';

/** The minor versions of LibTorch 2 that the addon compiles against and is tested with. */
export const SUPPORTED = { major: 2, oldest: 11, newest: 13 };

const buildFolder = fileURLToPath(new URL('../build/', import.meta.url));

/**
 * @typedef {object} LibTorch
 * @property {string} root folder with lib, include and share
 * @property {string} version as LibTorch writes it, for example 2.13.0+cpu
 * @property {string | null} cuda CUDA version of the build, null for a build without CUDA
 * @property {true} cxx11abi every supported build has the C++11 ABI
 * @property {'KEEL_LIBTORCH' | 'python' | 'cache'} source where it was found
 */

/** Folder that Keel keeps its downloads in: KEEL_CACHE, or ~/.cache/keel. */
export function cacheFolder(env = process.env) {
  return resolve(env.KEEL_CACHE || join(homedir(), '.cache', 'keel'));
}

/** Folder that the set-up installs LibTorch into; LibTorch itself is its subfolder torch. */
export function cachedLibtorch(env = process.env) {
  return join(cacheFolder(env), `libtorch-${LIBTORCH_VERSION}`);
}

/** The Python to ask: KEEL_PYTHON, or python3 of the PATH. */
export function pythonCommand(env = process.env) {
  const chosen = env.KEEL_PYTHON;
  if (!chosen) return 'python3';
  return chosen.includes('/') ? resolve(chosen) : chosen;
}

/**
 * LibTorch for the addon, looked for in KEEL_LIBTORCH, the active Python's torch and Keel's cache,
 * in this order; null where there is none. What is found but cannot be used is told to `note`.
 * Throws where KEEL_LIBTORCH names something that cannot be used: an explicit wish is not passed
 * over.
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
          'or to the folder torch inside a site-packages folder, or unset it.',
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
    note(`${root} is passed over: ${found.problem}`);
  }
  return null;
}

/** A site-packages folder is as good as the torch folder in it. */
function explicitRoot(env) {
  const named = resolve(env.KEEL_LIBTORCH);
  const inside = join(named, 'torch');
  return !existsSync(join(named, 'lib')) && existsSync(join(inside, 'lib')) ? inside : named;
}

/** The active Python's torch folder, without importing it: importing takes seconds. */
function pythonTorch(env) {
  const program =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.origin if s and s.origin else "")';
  // In the root folder no project folder named torch can be taken for the package.
  const python = spawnSync(pythonCommand(env), ['-c', program], {
    cwd: '/',
    env,
    encoding: 'utf8',
  });
  const origin = python.status === 0 ? python.stdout.trim() : '';
  return origin === '' ? null : dirname(origin);
}

/**
 * What lies in a LibTorch folder, or the problem with it.
 *
 * @param {string} root
 */
export function inspectLibtorch(root) {
  const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
  for (const part of [`lib/libtorch_cpu.${suffix}`, 'include', 'share/cmake']) {
    if (!existsSync(join(root, part))) return { problem: `${join(root, part)} is not there` };
  }
  const { version, cuda } = readVersion(root);
  if (version === null) {
    return { problem: 'neither version.py nor build-version in it tells the version' };
  }
  const [major, minor] = version.split('.').map(Number);
  if (major !== SUPPORTED.major || minor < SUPPORTED.oldest || minor > SUPPORTED.newest) {
    const range = `${SUPPORTED.major}.${SUPPORTED.oldest} to ${SUPPORTED.major}.${SUPPORTED.newest}`;
    return { problem: `it is LibTorch ${version} and Keel works with ${range}` };
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
 * What the set-up built last, without asking Python: the addon's path and the LibTorch that it was
 * compiled for; null where nothing is built.
 *
 * @returns {{ addon: string, torch: LibTorch } | null}
 */
export function currentBuild(folder = buildFolder) {
  const text = readText(join(folder, 'current.json'));
  if (text === null) return null;
  const { addon, torch } = JSON.parse(text);
  const path = join(folder, addon);
  return existsSync(path) ? { addon: path, torch } : null;
}

/**
 * Path of the compiled addon, or null where nothing is built. Throws where KEEL_LIBTORCH names
 * another LibTorch than the one that the addon was compiled for.
 *
 * @returns {string | null}
 */
export function addonPath(env = process.env, folder = buildFolder) {
  const build = currentBuild(folder);
  if (build === null) return null;
  if (env.KEEL_LIBTORCH && explicitRoot(env) !== build.torch.root) {
    throw new Error(
      `KEEL_LIBTORCH is ${env.KEEL_LIBTORCH}, but the addon is compiled for ${build.torch.root}. ` +
        'Run `npm run setup` to compile it anew, or unset KEEL_LIBTORCH.',
    );
  }
  return build.addon;
}
