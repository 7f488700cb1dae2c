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
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { currentBuild } from '../packages/torch/src/locate-libtorch.mjs';
import { compilerProgress, filesToCompile } from './compiler-progress.mjs';
import { pinnedNode, root, state } from './places.mjs';
import { runLogged } from './steps.mjs';
import { writeAside } from './write-aside.mjs';

const sources = join(root, 'packages', 'torch', 'native');
const builds = join(root, 'packages', 'torch', 'build');

/**
 * @param {import('../packages/torch/src/locate-libtorch.mjs').LibTorch} libtorch
 * @param {import('./steps.mjs').Doing} doing
 */
export async function compileAddon(libtorch, doing) {
  const key = buildKey(libtorch);
  const addon = join(builds, key, 'keel_torch.node');
  const built = currentBuild(builds);
  if (built?.addon === addon && built.torch.root === libtorch.root) return 'already compiled';
  doing(`compiling for LibTorch ${libtorch.version} with CMake`);
  const work = join(builds, `work-${label(libtorch)}`);
  const compiled = await compile(libtorch, work, doing);
  // Install the addon only if it loads.
  await runLogged(pinnedNode, ['-e', 'require(process.argv[1])', compiled], {
    log: join(state, 'load-addon.log'),
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
async function compile(libtorch, work, doing) {
  const unfinished = join(work, 'unfinished.json');
  const origin = join(work, 'libtorch.json');
  const identity = JSON.stringify({ libtorch, work });
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
  const headers = [`${prefix}.gch`, `${prefix}.pch`];
  const all = !headers.some((header) => existsSync(header));
  const modules = join(root, 'node_modules');
  const definitions = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_EXPORT_COMPILE_COMMANDS: 'ON',
    TORCH_ROOT: libtorch.root,
    NODE_API_HEADERS: join(modules, 'node-api-headers', 'include'),
  };
  const defined = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  const configure = ['-S', sources, '-B', work, ...defined];
  const jobs = `-j${availableParallelism()}`;
  await runLogged('cmake', configure, {
    log: join(state, 'cmake-configure.log'),
    what: 'CMake',
  });
  await runLogged('cmake', ['--build', work, '--config', 'Release', jobs], {
    log: join(state, 'cmake-build.log'),
    what: 'Compiling the addon',
    onLine: compilerProgress(all ? filesToCompile(work) : null, (text) =>
      doing(text, { progress: true }),
    ),
  });
  // It takes 0.5 GB, and most people compile once. A later change of the native sources builds it
  // again, and then keeps it.
  if (fresh) for (const header of headers) rmSync(header, { force: true });
  rmSync(unfinished);
  return join(work, 'keel_torch.node');
}

function label({ version, cuda }) {
  return `torch-${version.split('+')[0]}-${cuda ? `cu${cuda.replace('.', '')}` : 'cpu'}`;
}

/** A build's name, from its LibTorch and the content of the native sources. */
function buildKey(libtorch) {
  const hash = createHash('sha256');
  const files = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(sources, file)}\0${content.length}\0`).update(content);
  }
  return `${label(libtorch)}-${hash.digest('hex').slice(0, 12)}`;
}
