import { fromTypedArray, manualSeed, ops, type Tensor, tidy } from '@keel/torch';
import { beforeEach, expect, test } from 'vitest';

interface Case {
  batch: number;
  heads: number;
  keyValueHeads: number;
  size: number;
  softcap: number;
  window: number;
  prefixed: boolean;
}

const cases: Case[] = [
  { batch: 1, heads: 1, keyValueHeads: 1, size: 1, softcap: 0, window: 0, prefixed: false },
  { batch: 3, heads: 9, keyValueHeads: 3, size: 64, softcap: 0, window: 0, prefixed: true },
  { batch: 5, heads: 14, keyValueHeads: 2, size: 37, softcap: 0, window: 5, prefixed: true },
  { batch: 2, heads: 8, keyValueHeads: 4, size: 20, softcap: 3, window: 0, prefixed: true },
  { batch: 4, heads: 5, keyValueHeads: 1, size: 16, softcap: 2, window: 11, prefixed: false },
  { batch: 70, heads: 12, keyValueHeads: 12, size: 8, softcap: 0, window: 3, prefixed: true },
];

interface Inputs {
  query: Tensor;
  keys: Tensor;
  values: Tensor;
  rows: Tensor;
  lengths: Tensor;
  prefixKeys: Tensor | null;
  prefixValues: Tensor | null;
  prefixStarts: Tensor | null;
  prefixLengths: Tensor | null;
}

const rowCount = 80;
const capacity = 23;
const pool = 50;
const index = (values: number[]): Tensor => fromTypedArray(BigInt64Array.from(values, BigInt));

function inputs({ batch, heads, keyValueHeads, size, prefixed }: Case): Inputs {
  const normal = (...shape: number[]): Tensor => ops.randn(shape, 'float64');
  const each = (value: (b: number) => number): Tensor =>
    index(Array.from({ length: batch }, (_, b) => value(b)));
  return {
    query: normal(batch, heads, size),
    keys: normal(rowCount, capacity, keyValueHeads, size),
    values: normal(rowCount, capacity, keyValueHeads, size),
    rows: each((b) => rowCount - 1 - b),
    // From the shortest allowed row to a full one.
    lengths: each((b) =>
      b === 0 ? (prefixed ? 0 : 1) : b === 1 ? capacity : (b * 7) % capacity || 1,
    ),
    prefixKeys: prefixed ? normal(pool, keyValueHeads, size) : null,
    prefixValues: prefixed ? normal(pool, keyValueHeads, size) : null,
    prefixStarts: prefixed ? each((b) => (b * 5) % 20) : null,
    prefixLengths: prefixed ? each((b) => (b === 2 ? 0 : 1 + ((b * 11) % 30))) : null,
  };
}

/** softmax(cap(scale q·k)) v in plain float64 loops, straight from the definition. */
function byDefinition(
  given: Inputs,
  { heads, keyValueHeads, size, softcap, window }: Case,
  scale: number,
): number[] {
  const [query, keys, values, rows, lengths] = [
    given.query,
    given.keys,
    given.values,
    given.rows,
    given.lengths,
  ].map((one) => one.toArray()) as [number[], number[], number[], number[], number[]];
  const prefix = [
    given.prefixKeys,
    given.prefixValues,
    given.prefixStarts,
    given.prefixLengths,
  ].map((one) => one?.toArray() ?? []);
  const result: number[] = [];
  for (const [b, row] of rows.entries()) {
    const before = prefix[3]![b] ?? 0;
    const total = before + lengths[b]!;
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor(head / (heads / keyValueHeads));
      const place = (t: number): [number[], number[], number] =>
        t < before
          ? [prefix[0]!, prefix[1]!, ((prefix[2]![b]! + t) * keyValueHeads + shared) * size]
          : [keys, values, ((row * capacity + t - before) * keyValueHeads + shared) * size];
      const first = window === 0 ? 0 : Math.max(0, total - window);
      const weights: number[] = [];
      for (let t = first; t < total; t++) {
        const [from, , at] = place(t);
        let score = 0;
        for (let d = 0; d < size; d++)
          score += query[(b * heads + head) * size + d]! * from[at + d]!;
        score *= scale;
        weights.push(Math.exp(softcap === 0 ? score : softcap * Math.tanh(score / softcap)));
      }
      const sum = weights.reduce((one, other) => one + other, 0);
      for (let d = 0; d < size; d++) {
        result.push(
          weights.reduce((total, weight, i) => {
            const [, from, at] = place(first + i);
            return total + (weight / sum) * from[at + d]!;
          }, 0),
        );
      }
    }
  }
  return result;
}

const attend = (
  form: typeof ops.decodeAttention,
  i: Inputs,
  one: Case,
  scale: number,
  longest: readonly [number?, number?] = [],
): Tensor =>
  form(
    i.query,
    i.keys,
    i.values,
    i.rows,
    i.lengths,
    scale,
    one.softcap,
    one.window,
    i.prefixKeys,
    i.prefixValues,
    i.prefixStarts,
    i.prefixLengths,
    ...longest,
  );

function as(given: Inputs, dtype: 'float32' | 'bfloat16'): Inputs {
  const to = (one: Tensor | null): Tensor | null => one?.to(dtype) ?? null;
  return {
    ...given,
    query: given.query.to(dtype),
    keys: given.keys.to(dtype),
    values: given.values.to(dtype),
    prefixKeys: to(given.prefixKeys),
    prefixValues: to(given.prefixValues),
  };
}

function furthest(one: readonly number[], other: readonly number[]): number {
  expect(one.length).toBe(other.length);
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
}

beforeEach(() => manualSeed(3));

test.each(cases)('kernel and composed form match the definition: %o', (one) => {
  tidy(() => {
    const given = inputs(one);
    const scale = 0.7 / Math.sqrt(one.size);
    const expected = byDefinition(given, one, scale);
    expect(
      furthest(attend(ops.decodeAttention, given, one, scale).toArray(), expected),
    ).toBeLessThan(1e-13);
    expect(
      furthest(attend(ops.decodeAttentionComposed, given, one, scale).toArray(), expected),
    ).toBeLessThan(1e-13);
    const single = attend(ops.decodeAttention, as(given, 'float32'), one, scale);
    expect(single.dtype).toBe('float32');
    expect(furthest(single.toArray(), expected)).toBeLessThan(1e-5);
  });
});

test.each(cases)('the composed form reads no lengths that the caller knows: %o', (one) => {
  tidy(() => {
    const given = inputs(one);
    const most = (lengths: Tensor | null): number => Math.max(0, ...(lengths?.toArray() ?? []));
    const longest = [most(given.lengths), most(given.prefixLengths)] as const;
    const read = attend(ops.decodeAttentionComposed, given, one, 0.3).toArray();
    const known = attend(ops.decodeAttentionComposed, given, one, 0.3, longest).toArray();
    expect(known).toEqual(read);
    if (longest[0] < 2) return;
    const shorter = [longest[0] - 1, longest[1]] as const;
    const cut = attend(ops.decodeAttentionComposed, given, one, 0.3, shorter).toArray();
    expect(cut).not.toEqual(read);
  });
});

test.each(cases)('in bfloat16, only inputs and output are rounded: %o', (one) => {
  tidy(() => {
    const narrow = as(inputs(one), 'bfloat16');
    const scale = 1 / Math.sqrt(one.size);
    const exact = byDefinition(narrow, one, scale);
    const result = attend(ops.decodeAttention, narrow, one, scale);
    expect(result.dtype).toBe('bfloat16');
    // Half a unit in the last of 8 bits, for values up to 4.
    expect(furthest(result.toArray(), exact)).toBeLessThan(4 * 2 ** -8);
    const composed = attend(ops.decodeAttentionComposed, narrow, one, scale);
    expect(furthest(result.toArray(), composed.toArray())).toBeLessThan(4 * 2 ** -7);
  });
});

test('very different scores neither overflow nor lose the largest', () => {
  tidy(() => {
    const query = fromTypedArray(Float32Array.of(1000), [1, 1, 1]);
    const keys = fromTypedArray(Float32Array.of(-1, 1, 0.5), [1, 3, 1, 1]);
    const values = fromTypedArray(Float32Array.of(10, 20, 30), [1, 3, 1, 1]);
    const attended = (length: number): number[] =>
      ops.decodeAttention(query, keys, values, index([0]), index([length]), 1).toArray();
    expect(attended(3)).toEqual([20]);
    expect(attended(1)).toEqual([10]);
  });
});

test('indices out of range are refused by name', () => {
  tidy(() => {
    const query = ops.randn([1, 2, 4]);
    const cache = ops.randn([3, 5, 1, 4]);
    const run = (row: number, length: number): Tensor =>
      ops.decodeAttention(query, cache, cache, index([row]), index([length]), 1);
    expect(() => run(3, 1)).toThrow(/row 3 of a cache of 3/);
    expect(() => run(-1, 1)).toThrow(/row -1/);
    expect(() => run(0, 6)).toThrow(/length 6 in a cache of capacity 5/);
    expect(() => run(0, 0)).toThrow(/sequence 0 has no keys/);
    expect(() => ops.decodeAttention(query, cache, cache, index([0, 1]), index([1]), 1)).toThrow(
      /rows must be int64 \[1\]/,
    );
    const outside = (start: number): Tensor =>
      ops.decodeAttention(
        query,
        cache,
        cache,
        index([0]),
        index([1]),
        1,
        0,
        0,
        cache.select(0, 0),
        cache.select(0, 0),
        index([start]),
        index([2]),
      );
    expect(() => outside(4)).toThrow(/a prefix of 2 at 4 /);
    expect(outside(3).shape).toEqual([1, 2, 4]);
  });
});
