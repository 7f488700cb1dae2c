import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { torchBuild } from '@keel/torch';
import { currentBuild, locateLibtorch } from '@keel/torch/locate-libtorch';
import { programPath } from './program-path.ts';

export interface LibTorch {
  root: string;
  version: string;
  cuda: string | null;
  source: 'KEEL_LIBTORCH' | 'python' | 'cache';
}

/** What LibTorch reports about itself once the addon is loaded. */
export type LoadedEngine = ReturnType<typeof torchBuild> & { threads: number };

/** LibTorch and the addon, as far as they are installed. */
export interface Engine {
  libtorch: LibTorch | null;
  /** Path of the compiled addon; null if there is none. */
  addon: string | null;
  loaded: LoadedEngine | null;
  /** Why it is not loaded; null if it is. */
  problem: string | null;
}

export function inspectEngine(): Engine {
  let build: { addon: string; torch: LibTorch } | null;
  let libtorch: LibTorch | null;
  try {
    build = currentBuild();
    libtorch = build?.torch ?? locateLibtorch();
  } catch (error) {
    return { libtorch: null, addon: null, loaded: null, problem: (error as Error).message };
  }
  const addon = build?.addon ?? null;
  if (libtorch === null) {
    return { libtorch, addon, loaded: null, problem: 'LibTorch was not found' };
  }
  if (!existsSync(libtorch.root)) {
    const problem = `LibTorch is no longer in ${libtorch.root}`;
    return { libtorch: null, addon, loaded: null, problem };
  }
  if (addon === null) {
    return { libtorch, addon, loaded: null, problem: 'the addon is not compiled' };
  }
  return { libtorch, addon, ...load() };
}

function load(): Pick<Engine, 'loaded' | 'problem'> {
  const program = [programPath('probe-engine')];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
  });
  if (status === 0) return { loaded: JSON.parse(stdout) as LoadedEngine, problem: null };
  const reasons = stderr.split('\n').filter((line) => /^(\s*\[cause\]: )?\w*Error\b/.test(line));
  const reason = reasons.map((line) => line.replace(/^\s*(\[cause\]: )?\w*Error: /, '')).join(' ');
  return { loaded: null, problem: reason || `loading the addon ended with ${signal ?? status}` };
}
