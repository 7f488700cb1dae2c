import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, type LanguageModel, removeAdapter } from '@keel/model';
import { noGrad, setThreads, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPairs } from '../batching/pack-pairs.ts';
import { PairSource, pairPacking } from '../methods/pairs/pair-source.ts';
import { loadTiny, rowsOf, tinyRows, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { NonFiniteLossError } from '../training/training-task.ts';
import { precomputeReference, recomputeFirstStep } from './precompute-reference.ts';
import {
  loadReference,
  type ReferenceKey,
  ReferenceScores,
  referenceCachePath,
  saveReference,
} from './reference-scores.ts';
import { scorePairs } from './score-pairs.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reference-'));
let model: LanguageModel;
beforeAll(async () => {
  model = await loadTiny(writeTinyChatModel(join(folder, 'model')), 'float32');
});
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const rows = tinyRows(7);
const sourceOf = (options = {}): PairSource =>
  new PairSource(rowsOf(rows), model.tokenizer, {
    seed: 2,
    shuffle: true,
    maxLength: null,
    ...options,
  });
const shape = { batchSize: 3, limit: { rows: 2, tokens: null }, onProgress: () => {} };
const bits = (values: Float32Array): number[] => [...new Uint32Array(values.slice().buffer)];

describe('ReferenceScores', () => {
  it('computes a row once, when it is asked for', async () => {
    const scores = new ReferenceScores(model, rows.length);
    const pairs = await sourceOf({ shuffle: false }).read([1, 4]);
    const batch = packPairs(pairs.map(({ pair }) => pair));
    const first = tidy(() => scores.of(batch, [1, 4]).toArray());
    expect([0, 1, 2, 3, 4, 5, 6].filter((row) => scores.has(row))).toEqual([1, 4]);
    // What is known is given, not computed again.
    const marked = scores.values.map((value, i) => (i === 2 ? -1234 : value));
    scores.restore(marked);
    expect(tidy(() => scores.of(batch, [1, 4]).toArray())).toEqual([-1234, ...first.slice(1)]);
    scores.forget([1]);
    expect(tidy(() => scores.of(batch, [1, 4]).toArray())).toEqual(first);
  });

  it('computes in the role it is given', async () => {
    const [one] = await sourceOf().read([0]);
    const batch = packPairs([one!.pair]);
    const scoresIn = (role: string): number[] =>
      tidy(() => new ReferenceScores(model, rows.length, { role }).of(batch, [0]).toArray());
    const options = { rank: 2, alpha: 2, targets: 'all-linear', seed: 1 } as const;
    for (const [name, parameter] of addLora(model.decoder, 'changed', options)) {
      if (name.includes('lora_B')) noGrad(() => parameter.fill_(0.1));
    }
    const changed = scoresIn('changed');
    removeAdapter(model.decoder, 'changed');
    const base = scoresIn('reference');
    expect(Math.abs(changed[0]! - base[0]!)).toBeGreaterThan(1e-3);
    expect(base).toEqual(tidy(() => scorePairs(model, batch, false).sums.toArray()));
  });

  it('refuses scores of another number of rows', () => {
    const scores = new ReferenceScores(model, 3);
    expect(() => scores.restore(new Float32Array(8))).toThrow(/of 4 rows, expected 3/);
  });

  it('names rows whose log-probability is no number', async () => {
    const broken = await loadTiny(join(folder, 'model'), 'float32');
    const [one] = await sourceOf().read([5]);
    // Weights that were no numbers from the first would be named instead.
    tidy(() => scorePairs(broken, packPairs([one!.pair]), false));
    broken.decoder.weights.finalNorm.weight.fill_(Number.NaN);
    const scores = new ReferenceScores(broken, rows.length, { heldOut: true });
    const error = (() => {
      try {
        return tidy(() => scores.of(packPairs([one!.pair]), [5]));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(NonFiniteLossError);
    expect(error).toMatchObject({ rows: [5], heldOut: true });
    broken.dispose();
  });
});

describe('precomputing', () => {
  it('computes every row and leaves the source and the memory as they were', async () => {
    const source = sourceOf();
    await source.next(2);
    const before = [source.state(), await liveMemory()] as const;
    const scores = new ReferenceScores(model, rows.length);
    const progress: number[] = [];
    await precomputeReference({ source, packing: pairPacking }, scores, {
      ...shape,
      onProgress: (done) => progress.push(done),
    });
    expect([source.state(), await liveMemory()]).toEqual(before);
    expect(rows.every((_, row) => scores.has(row))).toBe(true);
    expect(progress).toEqual([3, 6, 7]);
  });

  it('gives the bits of the passes that the first epoch has', async () => {
    const advance = new ReferenceScores(model, rows.length);
    await precomputeReference({ source: sourceOf(), packing: pairPacking }, advance, shape);
    const asked = new ReferenceScores(model, rows.length);
    const source = sourceOf();
    for (const count of [2, 1, 2, 1, 1]) {
      const pairs = await source.next(count);
      tidy(() =>
        asked.of(
          packPairs(pairs.map(({ pair }) => pair)),
          pairs.map(({ row }) => row),
        ),
      );
    }
    expect(bits(advance.values)).toEqual(bits(asked.values));
  });

  it('passes over rows that are too long', async () => {
    const long = { prompt: 'hello '.repeat(90), chosen: 'a', rejected: 'b', extra: {} };
    const mixed = rows.map((row, i) => (i % 2 === 1 ? long : row));
    const source = new PairSource(rowsOf(mixed), model.tokenizer, {
      seed: 2,
      shuffle: true,
      maxLength: 150,
    });
    const scores = new ReferenceScores(model, rows.length);
    await precomputeReference({ source, packing: pairPacking }, scores, shape);
    expect(rows.map((_, row) => scores.has(row))).toEqual(rows.map((_, row) => row % 2 === 0));
  });

  it('computes the first step again in its own passes', async () => {
    const scores = new ReferenceScores(model, rows.length);
    scores.restore(new Float32Array(2 * rows.length).fill(-1));
    const source = sourceOf();
    await recomputeFirstStep({ source, packing: pairPacking }, scores, shape);
    const first = (await source.next(3)).map(({ row }) => row);
    rows.forEach((_, row) => {
      if (first.includes(row)) expect(scores.values[2 * row]).toBeLessThan(-1.5);
      else expect(scores.values[2 * row]).toBe(-1);
    });
  });
});

describe('the cache', () => {
  const key: ReferenceKey = {
    model: 'm',
    adapter: null,
    tokenizer: 't',
    rows: 'r',
    precision: 'fp32 cpu',
    software: 'torch-2.13.0-cpu-0123',
    maxLength: 64,
  };
  const saved = (): { path: string; scores: ReferenceScores } => {
    const scores = new ReferenceScores(model, 3);
    scores.restore(Float32Array.from([-1, -2, -3, -4, Number.NaN, -6]));
    const path = referenceCachePath(join(folder, 'cache'), key);
    saveReference(path, scores, (text) => expect.unreachable(text));
    return { path, scores };
  };

  it('gives back what was saved, to the bit', () => {
    const { path, scores } = saved();
    const other = new ReferenceScores(model, 3);
    expect(loadReference(path, other)).toBe(true);
    expect(bits(other.values)).toEqual(bits(scores.values));
  });

  it('is done without where it cannot be written or read', () => {
    const { scores } = saved();
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const path = referenceCachePath(join(file, 'cache'), key);
    const told: string[] = [];
    saveReference(path, scores, (text) => told.push(text));
    expect(told).toEqual([expect.stringMatching(/^The cache is not used .*a-file.* folder/)]);
    expect(loadReference(path, new ReferenceScores(model, 3))).toBe(false);
  });

  it('has a place of its own for whatever may change a score', () => {
    const changes: Partial<ReferenceKey>[] = [
      { model: 'm2' },
      { adapter: 'a' },
      { tokenizer: 't2' },
      { rows: 'r2' },
      { precision: 'bf16 cpu' },
      { software: 'torch-2.12.0-cpu-0123' },
      { maxLength: null },
    ];
    const paths = [{}, ...changes].map((change) => referenceCachePath('c', { ...key, ...change }));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('does not use a file that is damaged, cut off, of other rows, or absent', () => {
    const { path } = saved();
    const bytes = readFileSync(path);
    const unused = (content: Uint8Array): void => {
      writeFileSync(path, content);
      const scores = new ReferenceScores(model, 3);
      expect(loadReference(path, scores)).toBe(false);
      expect(scores.has(0)).toBe(false);
    };
    const damaged = Uint8Array.from(bytes);
    damaged[40]! ^= 1;
    unused(damaged);
    unused(bytes.subarray(0, -4));
    unused(new Uint8Array(0));
    writeFileSync(path, bytes);
    expect(loadReference(path, new ReferenceScores(model, 2))).toBe(false);
    expect(loadReference(join(folder, 'nothing'), new ReferenceScores(model, 3))).toBe(false);
  });
});
