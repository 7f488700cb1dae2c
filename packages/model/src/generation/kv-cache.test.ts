import { fromTypedArray, memory, ops, tidy } from '@keel/torch';
import { expect, test } from 'vitest';
import { FreeRanges } from './free-ranges.ts';
import { type CachedRow, KeyValueCache } from './kv-cache.ts';

const shape = {
  layers: 2,
  keyValueHeads: 1,
  headSize: 2,
  dtype: 'float32',
  device: 'cpu',
} as const;

/** Writes the next token of a row; all of its numbers are the value. */
function write(cache: KeyValueCache, row: CachedRow, value: number): void {
  cache.reserve(1);
  tidy(() => {
    for (let layer = 0; layer < shape.layers; layer++) {
      const { keys, values } = cache.layer(layer);
      keys
        .select(0, row.slot)
        .select(0, row.length)
        .fill_(value + layer);
      values
        .select(0, row.slot)
        .select(0, row.length)
        .fill_(-value - layer);
    }
  });
  row.length += 1;
}

const read = (cache: KeyValueCache, row: CachedRow): number[] =>
  tidy(() =>
    cache
      .layer(1)
      .keys.select(0, row.slot)
      .narrow(0, 0, row.length)
      .select(1, 0)
      .select(1, 0)
      .toArray(),
  );

test('the first sufficient range is allocated, and freed ranges are joined', () => {
  const ranges = new FreeRanges();
  expect(ranges.take(1)).toBeNull();
  ranges.grow(10);
  expect([ranges.take(3), ranges.take(3), ranges.take(3)]).toEqual([0, 3, 6]);
  expect(ranges.take(2)).toBeNull();
  ranges.give(0, 3);
  ranges.give(6, 3);
  expect(ranges.take(5)).toBeNull();
  ranges.give(3, 3);
  expect(ranges.take(10)).toBe(0);
  ranges.grow(4);
  expect(ranges.extent).toBe(14);
  expect(ranges.take(4)).toBe(10);
});

test('space for prompts that is reserved at once is allocated once', () => {
  const cache = new KeyValueCache(shape);
  cache.reservePrefixes(7);
  const { prefixKeys } = cache.layer(0);
  const prefixes = [4, 3].map((length) => cache.openPrefix(length));
  expect(prefixes.map(({ start }) => start)).toEqual([0, 4]);
  expect(cache.layer(0).prefixKeys).toBe(prefixKeys);
  // More prompts are waiting than fit, so the pool grows as they come.
  cache.reservePrefixes(100);
  expect(cache.extent.pool).toBe(7);
  expect(cache.openPrefix(2).start).toBe(7);
  expect(cache.extent.pool).toBe(14);
  cache.dispose();
});

test('rows keep their contents when the cache grows and when others leave', () => {
  const before = memory().tensors;
  const cache = new KeyValueCache(shape);
  const prefix = cache.openPrefix(5);
  const rows = [0, 1, 2].map(() => cache.openRow(prefix, 3));
  for (let step = 0; step < 40; step++) {
    for (const [index, row] of rows.entries()) write(cache, row, 100 * index + step);
  }
  expect(cache.extent).toMatchObject({ rows: 3, capacity: 64 });
  cache.closeRow(rows[0]!);
  for (let step = 40; step < 70; step++) write(cache, rows[2]!, 200 + step);
  // It grew, so only the rows in use remain.
  expect(cache.extent).toMatchObject({ rows: 2, capacity: 128 });
  expect(read(cache, rows[1]!)).toEqual(Array.from({ length: 40 }, (_, step) => 101 + step));
  expect(read(cache, rows[2]!)).toEqual(Array.from({ length: 70 }, (_, step) => 201 + step));
  cache.dispose();
  expect(memory().tensors).toBe(before);
});

test('the next row reuses the place of a finished one', () => {
  const cache = new KeyValueCache(shape);
  const prefix = cache.openPrefix(1);
  const [first, second] = [cache.openRow(prefix, 2), cache.openRow(prefix, 2)];
  const { slot } = first;
  cache.closeRow(first);
  expect(cache.openRow(prefix, 2).slot).toBe(slot);
  expect(second.slot).not.toBe(slot);
  expect(cache.extent.rows).toBe(2);
  cache.dispose();
});

test('a prompt is stored once, until its last sample has ended', () => {
  const cache = new KeyValueCache(shape);
  const prefix = cache.openPrefix(6);
  tidy(() =>
    cache.layer(0).prefixKeys.copy_(
      fromTypedArray(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [6, 1, 2],
      ),
    ),
  );
  const rows = [cache.openRow(prefix), cache.openRow(prefix)];
  cache.closePrefix(prefix);
  const other = cache.openPrefix(7);
  expect(other.start).toBe(6);
  // The pool grew, and preserved its contents.
  expect(tidy(() => cache.layer(0).prefixKeys.narrow(0, 0, 6).toArray())).toEqual(
    Array.from({ length: 12 }, (_, i) => i),
  );
  for (const row of rows) cache.closeRow(row);
  expect(cache.openPrefix(6).start).toBe(0);
  cache.dispose();
});

test('a row closed twice frees its prompt once', () => {
  const cache = new KeyValueCache(shape);
  const prefix = cache.openPrefix(2);
  const row = cache.openRow(prefix);
  cache.closeRow(row);
  cache.closeRow(row);
  expect(prefix.users).toBe(1);
  cache.dispose();
  expect(() => ops.neg(cache.layer(0).keys)).toThrow();
});
