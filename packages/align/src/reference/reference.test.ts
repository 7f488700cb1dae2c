import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, type LanguageModel, removeAdapter } from '@keel/model';
import { noGrad, setThreads, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PackedPairs, packPairs } from '../batching/pack-pairs.ts';
import { PairSource, type PlacedPair, pairPacking } from '../methods/pairs/pair-source.ts';
import { pairScoring, scorePairs } from '../methods/pairs/score-pairs.ts';
import { loadTiny, rowsOf, tinyRows, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { type Pass, passes } from '../training/passes.ts';
import { NonFiniteLossError } from '../training/training-task.ts';
import { precompute, recomputeFirstStep } from './open-reference.ts';
import { RowReference, type RowReferenceParts } from './reference.ts';
import { loadRows, RowCache, type RowsKey, rowsPath, saveRows } from './reference-cache.ts';

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
const shape = { packing: pairPacking, batchSize: 3, limit: { rows: 2, tokens: null } };
const referenceOf = (own: Partial<RowReferenceParts<PackedPairs>> = {}) =>
  new RowReference({
    ...{
      model,
      scoring: pairScoring(false),
      rows: { training: rows.length, heldOut: rows.length },
    },
    ...own,
  });
/** The reference of these rows, in one pass. */
async function logprobsOf(
  reference: RowReference<PackedPairs>,
  placed: readonly PlacedPair[],
  { heldOut = false } = {},
): Promise<number[]> {
  const parts = { model, role: 'reference', limit: { rows: null, tokens: null } };
  const found: number[] = [];
  const work = async (pass: Pass<PlacedPair, PackedPairs>) =>
    (await reference.logprobs(pass)).whole;
  const options = { divisor: null, heldOut };
  for await (const done of passes(parts, placed, pairPacking, options, work)) {
    found.push(...done.found);
  }
  return found;
}
const bits = (values: Float32Array): number[] => [...new Uint32Array(values.slice().buffer)];

describe('RowReference', () => {
  it('computes a row once, when it is first needed', async () => {
    const reference = referenceOf();
    const pairs = await sourceOf({ shuffle: false }).read([1, 4]);
    const first = await logprobsOf(reference, pairs);
    const cache = reference.training;
    expect([0, 1, 2, 3, 4, 5, 6].filter((row) => cache.has(row))).toEqual([1, 4]);
    // A cached row is not computed again.
    cache.restore(cache.values.map((value, i) => (i === 2 ? -1234 : value)));
    expect(await logprobsOf(reference, pairs)).toEqual([-1234, ...first.slice(1)]);
    cache.remove([1]);
    expect(await logprobsOf(reference, pairs)).toEqual(first);
  });

  it('computes with the given role', async () => {
    const pairs = await sourceOf().read([0]);
    const batch = packPairs(pairs.map(({ pair }) => pair));
    const options = { rank: 2, alpha: 2, targets: 'all-linear', seed: 1 } as const;
    for (const [name, parameter] of addLora(model.decoder, 'changed', options)) {
      if (name.includes('lora_B')) noGrad(() => parameter.fill_(0.1));
    }
    const changed = await logprobsOf(referenceOf({ role: 'changed' }), pairs);
    removeAdapter(model.decoder, 'changed');
    const base = await logprobsOf(referenceOf(), pairs);
    expect(Math.abs(changed[0]! - base[0]!)).toBeGreaterThan(1e-3);
    expect(base).toEqual(tidy(() => scorePairs(model, batch, false).sums.toArray()));
  });

  it('refuses scores of another number of rows', () => {
    const { training } = referenceOf({ rows: { training: 3, heldOut: 0 } });
    expect(() => training.restore(new Float32Array(8))).toThrow(/of 4 rows, expected 3/);
  });

  it('names rows whose log-probability is not finite', async () => {
    const broken = await loadTiny(join(folder, 'model'), 'float32');
    const pairs = await sourceOf().read([5]);
    // Weights that were not finite from the start would be named instead.
    tidy(() => scorePairs(broken, packPairs(pairs.map(({ pair }) => pair)), false));
    broken.decoder.weights.finalNorm.weight.fill_(Number.NaN);
    const asked = logprobsOf(referenceOf({ model: broken }), pairs, { heldOut: true });
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteLossError);
    expect(error).toMatchObject({ rows: [5], heldOut: true });
    broken.dispose();
  });
});

describe('precomputing', () => {
  it('computes every row without changing the source, and leaks no tensors', async () => {
    const source = sourceOf();
    await source.next(2);
    const before = [source.state(), await liveMemory()] as const;
    const reference = referenceOf();
    const progress: number[] = [];
    await precompute(reference, source, { ...shape, onProgress: (done) => progress.push(done) });
    expect([source.state(), await liveMemory()]).toEqual(before);
    expect(rows.every((_, row) => reference.training.has(row))).toBe(true);
    expect(progress).toEqual([3, 6, 7]);
  });

  it('gives the same bits as the passes of the first epoch', async () => {
    const advance = referenceOf();
    await precompute(advance, sourceOf(), shape);
    const asked = referenceOf();
    const source = sourceOf();
    for (const count of [2, 1, 2, 1, 1]) await logprobsOf(asked, await source.next(count));
    expect(bits(advance.training.values)).toEqual(bits(asked.training.values));
  });

  it('skips rows that are too long', async () => {
    const long = { prompt: 'hello '.repeat(90), chosen: 'a', rejected: 'b', extra: {} };
    const mixed = rows.map((row, i) => (i % 2 === 1 ? long : row));
    const source = new PairSource(rowsOf(mixed), model.tokenizer, {
      seed: 2,
      shuffle: true,
      maxLength: 150,
    });
    const reference = referenceOf();
    await precompute(reference, source, shape);
    const cached = rows.map((_, row) => reference.training.has(row));
    expect(cached).toEqual(rows.map((_, row) => row % 2 === 0));
  });

  it('recomputes the first step in its own passes', async () => {
    const reference = referenceOf();
    const { training } = reference;
    training.restore(new Float32Array(2 * rows.length).fill(-1));
    const source = sourceOf();
    await recomputeFirstStep(reference, source, shape);
    const first = (await source.next(3)).map(({ row }) => row);
    rows.forEach((_, row) => {
      if (first.includes(row)) expect(training.values[2 * row]).toBeLessThan(-1.5);
      else expect(training.values[2 * row]).toBe(-1);
    });
  });
});

describe('the cache', () => {
  const key: RowsKey = {
    model: 'm',
    adapter: null,
    tokenizer: 't',
    rows: 'r',
    precision: 'fp32 cpu',
    software: 'torch-2.13.0-cpu-0123',
    maxLength: 64,
  };
  const saved = (): { path: string; scores: RowCache } => {
    const scores = new RowCache(3, 2);
    scores.restore(Float32Array.from([-1, -2, -3, -4, Number.NaN, -6]));
    const path = rowsPath(join(folder, 'cache'), key);
    saveRows(path, scores, (text) => expect.unreachable(text));
    return { path, scores };
  };

  it('returns the saved scores, bit for bit', () => {
    const { path, scores } = saved();
    const other = new RowCache(3, 2);
    expect(loadRows(path, other)).toBe(true);
    expect(bits(other.values)).toEqual(bits(scores.values));
  });

  it('is skipped if it cannot be written or read', () => {
    const { scores } = saved();
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const path = rowsPath(join(file, 'cache'), key);
    const told: string[] = [];
    saveRows(path, scores, (text) => told.push(text));
    expect(told).toEqual([expect.stringMatching(/^The cache is not used .*a-file.* folder/)]);
    expect(loadRows(path, new RowCache(3, 2))).toBe(false);
  });

  it('has a separate file for everything that may change a score', () => {
    const changes: Partial<RowsKey>[] = [
      { model: 'm2' },
      { adapter: 'a' },
      { tokenizer: 't2' },
      { rows: 'r2' },
      { precision: 'bf16 cpu' },
      { software: 'torch-2.12.0-cpu-0123' },
      { maxLength: null },
    ];
    const paths = [{}, ...changes].map((change) => rowsPath('c', { ...key, ...change }));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('does not use a file that is damaged, truncated, for other rows, or missing', () => {
    const { path } = saved();
    const bytes = readFileSync(path);
    const unused = (content: Uint8Array): void => {
      writeFileSync(path, content);
      const scores = new RowCache(3, 2);
      expect(loadRows(path, scores)).toBe(false);
      expect(scores.has(0)).toBe(false);
    };
    const damaged = Uint8Array.from(bytes);
    damaged[40]! ^= 1;
    unused(damaged);
    unused(bytes.subarray(0, -4));
    unused(new Uint8Array(0));
    writeFileSync(path, bytes);
    expect(loadRows(path, new RowCache(2, 2))).toBe(false);
    expect(loadRows(join(folder, 'nothing'), new RowCache(3, 2))).toBe(false);
  });
});
