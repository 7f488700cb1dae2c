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
  // A Python that answers with the file that this test puts there.
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

/** A LibTorch folder; `versionFile` as Python's torch or an unpacked archive has it. */
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

/** What Python answers when asked where torch lies. */
const pythonHas = (root: string) => write('origin', `${root}/__init__.py\n`);

describe('locateLibtorch', () => {
  it('finds nothing on a bare machine', () => {
    expect(locate()).toBeNull();
    expect(notes).toEqual([]);
  });

  it("takes KEEL_LIBTORCH before Python's torch, and that before the cache", () => {
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
    it(`passes over Python's torch ${version} with a note`, () => {
      pythonHas(libtorch('site/torch', python(version)));
      const cached = libtorch('cache/libtorch-2.13.0/torch', python('2.13.0'));
      expect(locate()).toMatchObject({ root: cached });
      expect(notes).toEqual([expect.stringContaining(`it is LibTorch ${version}`)]);
    });
  }

  it("passes over a Python's torch without its libraries", () => {
    pythonHas(join(folder, 'site/torch'));
    write('site/torch/version.py', "__version__ = '2.13.0'\n");
    expect(locate()).toBeNull();
    expect(notes).toEqual([expect.stringMatching(/libtorch_cpu\.\w+ is not there/)]);
  });

  it('does not pass over a KEEL_LIBTORCH that cannot be used', () => {
    libtorch('cache/libtorch-2.13.0/torch', python('2.13.0'));
    env.KEEL_LIBTORCH = join(folder, 'nowhere');
    expect(locate).toThrow(/KEEL_LIBTORCH is .*nowhere, but .* is not there/);
    env.KEEL_LIBTORCH = libtorch('old', python('2.4.0'));
    expect(locate).toThrow('it is LibTorch 2.4.0 and Keel works with 2.11 to 2.13');
    env.KEEL_LIBTORCH = libtorch('nameless', {});
    expect(locate).toThrow('neither version.py nor build-version');
  });
});

describe('addonPath', () => {
  it('is null where nothing is built or the built file is gone', () => {
    expect(addonPath(env, folder)).toBeNull();
    write('current.json', JSON.stringify({ addon: 'key/keel_torch.node', torch: {} }));
    expect(addonPath(env, folder)).toBeNull();
  });

  it('is what the set-up built last, unless KEEL_LIBTORCH asks for another', () => {
    const addon = write('key/keel_torch.node', '');
    const torch = { root: join(folder, 'a/torch'), version: '2.13.0' };
    write('current.json', JSON.stringify({ addon: 'key/keel_torch.node', torch }));
    expect(addonPath(env, folder)).toBe(addon);
    expect(currentBuild(folder)).toEqual({ addon, torch });
    expect(addonPath({ ...env, KEEL_LIBTORCH: torch.root }, folder)).toBe(addon);
    expect(() => addonPath({ ...env, KEEL_LIBTORCH: join(folder, 'b') }, folder)).toThrow(
      'npm run setup',
    );
  });
});

it('keeps downloads in KEEL_CACHE or the home folder', () => {
  expect(cacheFolder({ KEEL_CACHE: '/somewhere' })).toBe('/somewhere');
  expect(cacheFolder({})).toMatch(/\.cache\/keel$/);
});
