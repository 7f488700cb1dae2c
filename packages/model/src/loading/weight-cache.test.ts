import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tidy } from '@keel/torch';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DecoderConfig } from '../decoder-config.ts';
import { decoderConfigFrom } from '../families/registry.ts';
import { openGguf } from '../formats/gguf.ts';
import { buildDecoder } from './build-decoder.ts';
import { logitValues } from './fixtures/forward.ts';
import { randomTensors, tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { writeGguf } from './fixtures/write-gguf.ts';
import { ggufConfigJson } from './gguf-config.ts';
import { openGgufSource } from './gguf-source.ts';
import { disposeDecoder } from './named-weights.ts';
import { cachedWeights } from './weight-cache.ts';
import { cacheLimit } from './weight-cache-room.ts';
import type { WeightSource } from './weight-source.ts';

const fields = {
  block_count: 2,
  context_length: 64,
  embedding_length: 16,
  feed_forward_length: 24,
  'attention.head_count': 4,
  'attention.head_count_kv': 2,
  'attention.layer_norm_rms_epsilon': 1e-5,
  'rope.freq_base': 10_000,
  'rope.dimension_count': 4,
};
const query = 'model.layers.0.self_attn.q_proj.weight';

let folder = '';
let gguf = '';
let cache = '';
let turn = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-weight-cache-'));
  for (const [name, seed] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    const model = join(folder, name);
    writeTinyModel(model, tinyConfigs.llama!, randomTensors(tinyConfigs.llama!, seed));
    writeGguf(join(folder, `${name}.gguf`), model, { architecture: 'llama', fields });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** A model file and a cache for this test only. */
function begin(): void {
  turn += 1;
  gguf = join(folder, `model-${turn}.gguf`);
  cache = join(folder, `cache-${turn}`);
  cpSync(join(folder, 'one.gguf'), gguf);
}

const entries = (): string[] => readdirSync(join(cache, 'weights')).sort();
const entryPath = (): string =>
  join(cache, 'weights', entries().find((name) => name.endsWith('.safetensors'))!);

interface Opened {
  source: WeightSource;
  config: DecoderConfig;
}

function open(path = gguf): Opened {
  const file = openGguf(path);
  const config = decoderConfigFrom(ggufConfigJson(path, file));
  return { source: openGgufSource(path, file, config), config };
}

const notices: string[] = [];
const settings = () => ({
  cache,
  smallest: 0,
  settledAfter: 0,
  notice: (text: string) => void notices.push(text),
});

function cached(type: 'bfloat16' | 'float32' = 'float32', path = gguf): WeightSource | null {
  const { source, config } = open(path);
  using _source = source;
  return cachedWeights(source, config, type, settings());
}

function values(source: WeightSource, name = query): number[] {
  return tidy(() => source.read(name, 'float32').toArray());
}

/** A weight from the cached entry, and from the file itself. */
function bothWays(path = gguf): [number[], number[]] {
  using kept = cached('float32', path)!;
  using own = open(path).source;
  return [values(kept), values(own)];
}

describe('cachedWeights', () => {
  it.each(['float32', 'bfloat16'] as const)('gives the weights of the file in %s', (type) => {
    begin();
    const { source, config } = open();
    using own = source;
    for (const _ of ['written', 'found']) {
      using kept = cached(type)!;
      expect(kept.mapped).toBe(true);
      const [direct, mapped] = [own, kept].map((one) => {
        const decoder = buildDecoder(one, config, {
          computeType: type,
          device: 'cpu',
          trainable: false,
          base: type === 'bfloat16' ? 'bf16' : 'fp32',
        });
        const found = logitValues(decoder, [
          [5, 6, 7, 8],
          [20, 3],
        ]);
        disposeDecoder(decoder);
        return found;
      });
      expect(mapped).toEqual(direct);
    }
    expect(entries().length).toBe(2);
  });

  it('reads cached weights, and trains on a copy of them', () => {
    begin();
    cached()![Symbol.dispose]();
    const before = statSync(entryPath(), { bigint: true });
    const { source, config } = open();
    using _own = source;
    using kept = cached()!;
    const decoder = buildDecoder(kept, config, {
      computeType: 'float32',
      device: 'cpu',
      trainable: true,
      base: 'fp32',
    });
    const bytes = readFileSync(entryPath());
    tidy(() => void decoder.weights.embedding.detach().zero_());
    const after = statSync(entryPath(), { bigint: true });
    expect(after.mtimeNs).toBe(before.mtimeNs);
    expect(readFileSync(entryPath()).equals(bytes)).toBe(true);
    expect(values(kept, 'model.embed_tokens.weight').some((value) => value !== 0)).toBe(true);
    disposeDecoder(decoder);
  });

  it('replaces the entry of a changed file, even with the same size and time', () => {
    begin();
    const first = cached()!;
    const old = values(first);
    cpSync(join(folder, 'two.gguf'), gguf);
    const time = new Date(1e9);
    utimesSync(gguf, time, time);
    const [kept, own] = bothWays();
    expect(kept).toEqual(own);
    expect(kept).not.toEqual(old);
    expect(entries().length).toBe(2);
    // Processes that have the old entry mapped can still use it.
    expect(values(first)).toEqual(old);
    first[Symbol.dispose]();
  });

  it.each([
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10)],
    ['damaged', (bytes: Buffer) => bytes.fill(7, bytes.length - 10)],
    ['emptied', () => Buffer.alloc(0)],
  ])('writes a %s entry again', (_, harm) => {
    begin();
    cached()![Symbol.dispose]();
    const whole = readFileSync(entryPath());
    writeFileSync(entryPath(), harm(Buffer.from(whole)));
    const [kept, own] = bothWays();
    expect(kept).toEqual(own);
    expect(readFileSync(entryPath()).equals(whole)).toBe(true);
  });

  it('writes an entry again if its record is damaged or missing', () => {
    for (const record of ['{"source":', null]) {
      begin();
      cached()![Symbol.dispose]();
      const path = `${entryPath()}.json`;
      if (record === null) rmSync(path);
      else writeFileSync(path, record);
      const [kept, own] = bothWays();
      expect(kept).toEqual(own);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveProperty('checksum');
    }
  });

  it('accepts an entry that was only touched', () => {
    begin();
    cached()![Symbol.dispose]();
    const { ino } = statSync(entryPath());
    utimesSync(entryPath(), 1e9, 1e9);
    cached()![Symbol.dispose]();
    expect(statSync(entryPath()).ino).toBe(ino);
  });

  it('continues without a writable cache, and reports it', () => {
    begin();
    writeFileSync(cache, 'a file where the folder would be');
    expect(cached()).toBeNull();
    expect(notices.at(-1)).toMatch(/cached in .*weights, /);
  });

  it('caches nothing if it is off, for small models, and for files just written', () => {
    begin();
    vi.stubEnv('KEEL_WEIGHT_CACHE', 'off');
    expect(cached()).toBeNull();
    vi.unstubAllEnvs();
    const { source, config } = open();
    using _source = source;
    const usual = { ...settings(), smallest: undefined };
    expect(cachedWeights(source, config, 'float32', usual)).toBeNull();
    const fresh = { ...settings(), settledAfter: 3_600_000 };
    expect(cachedWeights(source, config, 'float32', fresh)).toBeNull();
    expect(entries).toThrow(/ENOENT/);
  });

  it('removes entries whose file is gone, then the least recently used, to stay within the limit', () => {
    begin();
    const paths = ['a', 'b', 'c', 'd'].map((name) => join(folder, `room-${name}.gguf`));
    for (const path of paths) cpSync(gguf, path);
    const [a, b, c, d] = paths as [string, string, string, string];
    for (const path of [a, b, c]) cached('float32', path)![Symbol.dispose]();
    const bytes = statSync(entryPath()).size;
    const record = (letter: string): string =>
      join(cache, 'weights', entries().find((name) => name.match(`room-${letter}.*json`))!);
    utimesSync(record('b'), 2000, 2000);
    utimesSync(record('a'), 3000, 3000);
    rmSync(c);
    vi.stubEnv('KEEL_WEIGHT_CACHE', String((2.5 * bytes) / 1e9));
    cached('float32', d)![Symbol.dispose]();
    const left = (): string[] =>
      entries().flatMap((name) => name.match(/^room-(\w).*safetensors$/)?.[1] ?? []);
    expect(left()).toEqual(['a', 'd']);
    // Of the two, the more recently used one stays.
    cached('float32', a)![Symbol.dispose]();
    utimesSync(record('d'), 2000, 2000);
    cached('float32', b)![Symbol.dispose]();
    expect(left()).toEqual(['a', 'b']);
  });

  it('follows the file, not its name', () => {
    begin();
    cached()![Symbol.dispose]();
    const moved = gguf.replace('model-', 'moved-');
    renameSync(gguf, moved);
    gguf = moved;
    const [kept, own] = bothWays();
    expect(kept).toEqual(own);
    expect(entries().length).toBe(2);
  });
});

describe('cacheLimit', () => {
  it('reads gigabytes and off, and refuses anything else', () => {
    expect(cacheLimit('')).toBe(20e9);
    expect(cacheLimit('1.5')).toBe(1.5e9);
    expect(cacheLimit('off')).toBe(0);
    expect(() => cacheLimit('no')).toThrow(/KEEL_WEIGHT_CACHE is "no".*gigabytes/);
    expect(() => cacheLimit('-1')).toThrow(/gigabytes/);
  });
});
