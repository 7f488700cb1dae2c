// Step: compiles the addon with CMake against the installed LibTorch.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonFolder, currentBuild } from '../locate-libtorch.mjs';
import { compilerProgress, filesToCompile } from './compiler-progress.mjs';
import { withLock } from './lock.mjs';
import { runLogged } from './steps.mjs';
import { writeAside } from './write-aside.mjs';

const sources = fileURLToPath(new URL('../../native/', import.meta.url));

/**
 * @param {import('../locate-libtorch.mjs').LibTorch} libtorch
 * @param {import('./provide-engine.mjs').Places} places
 * @param {import('./steps.mjs').Doing} doing
 */
export async function compileAddon(libtorch, places, doing) {
  const builds = addonFolder();
  // Installed packages of several projects share the folder.
  return await withLock(
    join(builds, 'lock'),
    (pid) => doing(`waiting for process ${pid}, which is compiling the addon`),
    () => provideAddon(libtorch, builds, places, doing),
  );
}

async function provideAddon(libtorch, builds, { logs, node }, doing) {
  const key = `${label(libtorch)}-${sourcesHash()}`;
  const addon = join(builds, key, 'keel_torch.node');
  const built = currentBuild(builds);
  if (built?.addon === addon && built.torch.root === libtorch.root) return 'already compiled';
  doing(`compiling for LibTorch ${libtorch.version} with CMake`);
  const work = join(builds, `work-${label(libtorch)}`);
  const compiled = await compile(libtorch, work, logs, doing);
  // Install the addon only if it loads.
  await runLogged(node, ['-e', 'require(process.argv[1])', compiled], {
    log: join(logs, 'load-addon.log'),
    what: `Loading the addon with the LibTorch in ${libtorch.root}`,
  });
  mkdirSync(join(builds, key), { recursive: true });
  copyFileSync(compiled, `${addon}.part`);
  renameSync(`${addon}.part`, addon);
  const current = { addon: relative(builds, addon), torch: libtorch };
  writeAside(join(builds, 'current.json'), `${JSON.stringify(current, null, 2)}\n`);
  return `compiled for LibTorch ${libtorch.version}`;
}

/** Builds in a persistent folder, so that only changed sources are compiled again. */
async function compile(libtorch, work, logs, doing) {
  const unfinished = join(work, 'unfinished.json');
  const origin = join(work, 'libtorch.json');
  const identity = JSON.stringify({ libtorch, work, sources });
  const known = existsSync(origin) && readFileSync(origin, 'utf8') === identity;
  // Object files of an interrupted build may be truncated, those for another LibTorch do not match,
  // and CMake refuses a folder that was moved.
  const fresh = !known || existsSync(unfinished);
  if (fresh) rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(origin, identity);
  writeFileSync(unfinished, String(process.pid));
  // The precompiled header, as GCC and clang name it: without it, everything is compiled again.
  const prefix = join(work, 'CMakeFiles', 'keel_torch.dir', 'cmake_pch.hxx');
  const precompiled = [`${prefix}.gch`, `${prefix}.pch`];
  const all = !precompiled.some((header) => existsSync(header));
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers'));
  const definitions = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_EXPORT_COMPILE_COMMANDS: 'ON',
    TORCH_ROOT: libtorch.root,
    NODE_API_HEADERS: join(headers, 'include'),
  };
  const defined = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  const configure = ['-S', sources, '-B', work, ...defined];
  const jobs = `-j${availableParallelism()}`;
  await runLogged('cmake', configure, {
    log: join(logs, 'cmake-configure.log'),
    what: 'CMake',
  });
  await runLogged('cmake', ['--build', work, '--config', 'Release', jobs], {
    log: join(logs, 'cmake-build.log'),
    what: 'Compiling the addon',
    onLine: compilerProgress(all ? filesToCompile(work) : null, (text) =>
      doing(text, { progress: true }),
    ),
  });
  // It takes 0.5 GB, and most people compile once. A later change of the native sources builds it
  // again, and then keeps it.
  if (fresh) for (const header of precompiled) rmSync(header, { force: true });
  rmSync(unfinished);
  return join(work, 'keel_torch.node');
}

function label({ version, cuda }) {
  return `torch-${version.split('+')[0]}-${cuda ? `cu${cuda.replace('.', '')}` : 'cpu'}`;
}

/** Identifies the addon's sources by their names and their content. */
export function sourcesHash() {
  const hash = createHash('sha256');
  const files = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    // Those for tests are no part of the addon.
    .filter((file) => !relative(sources, file).startsWith('testing'))
    .sort();
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(sources, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 12);
}
