// Step: finds LibTorch, or installs it into Keel's cache.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  cachedLibtorch,
  LIBTORCH_VERSION,
  locateLibtorch,
  pythonCommand,
} from '../locate-libtorch.mjs';
import { withLock } from './lock.mjs';
import { onInterruption, runLogged, SetUpError } from './steps.mjs';

/**
 * @param {import('./provide-engine.mjs').Places} places
 * @param {(text: string) => void} doing
 * @param {(text: string) => void} note
 */
export async function provideLibtorch({ logs }, doing, note) {
  let libtorch = locate(note);
  const found = libtorch !== null;
  const log = join(logs, 'pip-torch.log');
  if (!found) {
    const target = cachedLibtorch();
    await withLock(
      `${target}.lock`,
      (pid) => doing(`waiting for process ${pid}, which is installing LibTorch`),
      async () => {
        if (locate(() => {}) === null) await install(target, log, doing);
      },
    );
    libtorch = locate(() => {});
    if (libtorch === null)
      throw new SetUpError(`pip did not install a usable LibTorch into ${target}. See ${log}`);
  }
  const build = libtorch.cuda ? `CUDA ${libtorch.cuda}` : 'CPU';
  const line = `${libtorch.version} (${build}) in ${libtorch.root}`;
  return { libtorch, line: found ? line : `installed ${line}` };
}

function locate(note) {
  try {
    return locateLibtorch({ note });
  } catch (error) {
    throw new SetUpError(error.message);
  }
}

async function install(target, log, doing) {
  const parts = `${basename(target)}.part-`;
  // Remove what a killed setup left behind.
  for (const name of readdirSync(dirname(target))) {
    if (name.startsWith(parts)) rmSync(join(dirname(target), name), { recursive: true });
  }
  const aside = join(dirname(target), `${parts}${process.pid}`);
  const discard = () => rmSync(aside, { recursive: true, force: true });
  const forget = onInterruption(discard);
  try {
    const site = join(aside, 'site');
    doing(`python3 -m pip install torch==${LIBTORCH_VERSION} into ${target}`);
    await pipInstall(aside, site, log, ['--no-deps']);
    if (!loads(join(site, 'torch'))) {
      // The libraries that a CUDA build needs are in separate packages.
      doing('installing the libraries that this build of LibTorch needs');
      rmSync(site, { recursive: true });
      await pipInstall(aside, site, log, []);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(site, target);
  } finally {
    discard();
    forget();
  }
}

async function pipInstall(aside, site, log, options) {
  const temporary = join(aside, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const python = pythonCommand();
  const args = ['-m', 'pip', 'install', '--no-input', '--no-compile', '--target', site];
  const requirement = `torch==${LIBTORCH_VERSION}`;
  await runLogged(python, [...args, ...options, ...otherPython(python), requirement], {
    log,
    what: `pip install ${requirement}`,
    advice:
      'Check the network and the package index that pip uses, or set KEEL_LIBTORCH to an existing ' +
      'LibTorch. Then run this again.',
    // TMPDIR: the unpacked files are large, and moving them within one file system is free.
    env: { ...process.env, TMPDIR: temporary, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' },
  });
}

/**
 * Only libraries and headers are used, so any Python can download the files built for another one.
 */
function otherPython(python) {
  const program = 'import sys; print(sys.version_info[1])';
  const minor = Number(execFileSync(python, ['-c', program], { encoding: 'utf8' }));
  return minor >= 10 && minor <= 14 ? [] : ['--only-binary=:all:', '--python-version', '3.12'];
}

function loads(torch) {
  const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
  const libraries = ['torch_cpu', 'torch_cuda', 'torch_hip']
    .map((name) => join(torch, 'lib', `lib${name}.${suffix}`))
    .filter((path) => existsSync(path));
  const program = 'import ctypes, sys\nfor path in sys.argv[1:]: ctypes.CDLL(path)';
  return spawnSync(pythonCommand(), ['-c', program, ...libraries]).status === 0;
}
