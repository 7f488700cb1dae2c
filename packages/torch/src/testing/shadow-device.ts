// A device for tests that need no GPU: its tensors are in host memory, but LibTorch refuses to mix
// them with those of the CPU. native/testing/shadow_device.cpp says how.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { addonFolder, currentBuild } from '../locate-libtorch.mjs';
import { builtAddon } from '../native.ts';
import { torchBuild } from '../system.ts';

/** What a host waits for until a GPU has computed all that it was asked for. */
export interface DeviceCounts {
  /** Single numbers that were read. */
  scalars: number;
  /** Tensors that were copied to the host. */
  toHost: number;
  /** Tensors that were copied from the host, and the host waited. */
  fromHost: number;
  /** Operators whose result's shape depends on values. */
  sizes: number;
}

export interface ShadowDevice {
  /** Its name, for `device`. */
  name: 'shadow';
  /** Counts since the last call. */
  takeCounts(): DeviceCounts;
  /**
   * Says whether the device has flash attention (at first: no), and whether its results are wrong.
   * @returns how often it was called since the last time
   */
  hasFlash(exists: boolean, wrong?: boolean): number;
}

const sources = fileURLToPath(new URL('../../native/testing/', import.meta.url));

/**
 * Adds the device to this process. The first call after a change of its source compiles it, which
 * takes seconds.
 */
export async function addShadowDevice(): Promise<ShadowDevice> {
  const require = createRequire(import.meta.url);
  builtAddon();
  torchBuild();
  const addon = require(await compiledDevice()) as {
    counts(): [number, number, number, number];
    flash(exists: boolean, wrong: boolean): number;
  };
  return {
    name: 'shadow',
    takeCounts() {
      const [scalars, toHost, fromHost, sizes] = addon.counts();
      return { scalars, toHost, fromHost, sizes };
    },
    hasFlash: (exists, wrong = false) => addon.flash(exists, wrong),
  };
}

/** @returns the path of the addon */
async function compiledDevice(): Promise<string> {
  const builds = addonFolder();
  const { root, version } = currentBuild(builds)!.torch;
  const hash = createHash('sha256').update(`${root}\0${version}\0`);
  for (const name of ['CMakeLists.txt', 'shadow_device.cpp'])
    hash.update(readFileSync(join(sources, name)));
  const device = join(builds, `shadow-device-${hash.digest('hex').slice(0, 12)}.node`);
  if (existsSync(device)) return device;
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers'));
  // Test processes run side by side, and each may compile it.
  const work = mkdtempSync(join(builds, 'shadow-device-'));
  try {
    const run = promisify(execFile);
    const definitions = [`-DTORCH_ROOT=${root}`, `-DNODE_API_HEADERS=${join(headers, 'include')}`];
    await run('cmake', ['-S', sources, '-B', work, ...definitions]);
    await run('cmake', ['--build', work]);
    const part = join(work, 'device.part');
    copyFileSync(join(work, 'shadow_device.node'), part);
    renameSync(part, device);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return device;
}
