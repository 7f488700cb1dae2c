import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addonPath, cacheFolder, currentBuild, locateLibtorch } from './locate-libtorch.mjs';

let folder: string;
let env: NodeJS.ProcessEnv;
let notes: string[];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'keel-locate-')));
  notes = [];
  // A fake Python that prints the file that this test writes.
  const python = write('python', `#!/bin/sh\ncat '${folder}/origin' 2>/dev/null\n`);
  chmodSync(python, 0o755);
  env = { PATH: process.env.PATH, KEEL_PYTHON: python, KEEL_CACHE: join(folder, 'cache') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** A LibTorch folder with `versionFile` as in Python's torch or in an unpacked archive. */
function libtorch(name: string, versionFile: Record<string, string>): string {
  const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
  write(`${name}/lib/libtorch_cpu.${suffix}`, '');
  write(`${name}/include/torch/all.h`, '');
  write(`${name}/share/cmake/Torch/TorchConfig.cmake`, '');
  for (const [file, text] of Object.entries(versionFile)) write(`${name}/${file}`, text);
  return join(folder, name);
}

const python = (version: string, cuda = 'None') => ({
  'version.py': `__all__ = ['__version__', 'cuda']\n__version__ = '${version}'\ncuda: Optional[str] = ${cuda}\n`,
});

const locate = () => locateLibtorch({ env, note: (text: string) => notes.push(text) });

/** The output of Python when asked for torch's location. */
const pythonHas = (root: string) => write('origin', `${root}/__init__.py\n`);

describe('locateLibtorch', () => {
  it('finds nothing on a bare machine', () => {
    expect(locate()).toBeNull();
    expect(notes).toEqual([]);
  });

  it("prefers KEEL_LIBTORCH to Python's torch, and that to the cache", () => {
    const cached = libtorch('cache/libtorch-2.13.0/torch', python('2.13.0+cpu'));
    expect(locate()).toEqual({
      root: cached,
      version: '2.13.0+cpu',
      cuda: null,
      cxx11abi: true,
      source: 'cache',
    });
    const active = libtorch('site/torch', python('2.12.1+cu130', "'13.0'"));
    pythonHas(active);
    expect(locate()).toMatchObject({ root: active, cuda: '13.0', source: 'python' });

    const own = libtorch('own', { 'build-version': '2.11.0+cu126\n' });
    env.KEEL_LIBTORCH = own;
    expect(locate()).toEqual({
      root: own,
      version: '2.11.0+cu126',
      cuda: '12.6',
      cxx11abi: true,
      source: 'KEEL_LIBTORCH',
    });
    env.KEEL_LIBTORCH = join(folder, 'site');
    expect(locate()).toMatchObject({ root: active, source: 'KEEL_LIBTORCH' });
  });

  for (const version of ['2.10.0', '2.14.0+cpu', '3.11.0']) {
    it(`skips Python's torch ${version} with a note`, () => {
      pythonHas(libtorch('site/torch', python(version)));
      const cached = libtorch('cache/libtorch-2.13.0/torch', python('2.13.0'));
      expect(locate()).toMatchObject({ root: cached });
      expect(notes).toEqual([expect.stringContaining(`it is LibTorch ${version}`)]);
    });
  }

  it("skips a Python's torch without its libraries", () => {
    pythonHas(join(folder, 'site/torch'));
    write('site/torch/version.py', "__version__ = '2.13.0'\n");
    expect(locate()).toBeNull();
    expect(notes).toEqual([expect.stringMatching(/libtorch_cpu\.\w+/)]);
  });

  it('does not skip a KEEL_LIBTORCH that cannot be used', () => {
    libtorch('cache/libtorch-2.13.0/torch', python('2.13.0'));
    env.KEEL_LIBTORCH = join(folder, 'nowhere');
    expect(locate).toThrow(/KEEL_LIBTORCH is .*nowhere/);
    env.KEEL_LIBTORCH = libtorch('old', python('2.4.0'));
    expect(locate).toThrow(/LibTorch 2\.4\.0.* 2\.11 to 2\.13/);
    env.KEEL_LIBTORCH = libtorch('nameless', {});
    expect(locate).toThrow(/version\.py.*build-version/);
  });
});

describe('addonPath', () => {
  it('is null if nothing is built or the built file is gone', () => {
    expect(addonPath(env, folder)).toBeNull();
    write('current.json', JSON.stringify({ addon: 'key/keel_torch.node', torch: {} }));
    expect(addonPath(env, folder)).toBeNull();
  });

  it('is the last build, unless KEEL_LIBTORCH names another LibTorch', () => {
    const addon = write('key/keel_torch.node', '');
    const torch = { root: join(folder, 'a/torch'), version: '2.13.0' };
    write('current.json', JSON.stringify({ addon: 'key/keel_torch.node', torch }));
    expect(addonPath(env, folder)).toBe(addon);
    expect(currentBuild(folder)).toEqual({ addon, torch });
    expect(addonPath({ ...env, KEEL_LIBTORCH: torch.root }, folder)).toBe(addon);
    expect(() => addonPath({ ...env, KEEL_LIBTORCH: join(folder, 'b') }, folder)).toThrow(
      'npx keel setup',
    );
  });
});

it('keeps downloads in KEEL_CACHE or the home folder', () => {
  expect(cacheFolder({ KEEL_CACHE: '/somewhere' })).toBe('/somewhere');
  expect(cacheFolder({})).toMatch(/\.cache\/keel$/);
});
