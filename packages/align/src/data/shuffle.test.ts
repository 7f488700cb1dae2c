import { describe, expect, it, test } from 'vitest';
import {
  OrderedSampler,
  shuffledOrder,
  splitMix64,
  stratifiedOrder,
  xoshiro128,
} from './shuffle.ts';

test('SplitMix64 returns the published numbers', () => {
  const next = splitMix64(1234567n);
  expect([next(), next(), next()]).toEqual([
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
  ]);
});

test("xoshiro128** returns the numbers of its authors' C code", () => {
  const next = xoshiro128([1, 2, 3, 4]);
  expect(Array.from({ length: 8 }, next)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849,
  ]);
});

test('an order has every row once, and depends only on seed and epoch', () => {
  const order = shuffledOrder(1000, 7, 0);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(shuffledOrder(1000, 7, 0)).toEqual(order);
  expect(shuffledOrder(1000, 7, 1)).not.toEqual(order);
  expect(shuffledOrder(1000, 8, 0)).not.toEqual(order);
  expect(shuffledOrder(1000, 1, 2)).not.toEqual(shuffledOrder(1000, 2, 1));
  expect(shuffledOrder(0, 1, 0)).toHaveLength(0);
  expect([...shuffledOrder(1, 1, 0)]).toEqual([0]);
});

test('the order of a seed never changes between versions', () => {
  expect([...shuffledOrder(10, 42, 0)]).toEqual([8, 4, 9, 3, 0, 6, 1, 7, 5, 2]);
});

test('every permutation of four is about equally likely', () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 12_000; seed++) {
    const key = shuffledOrder(4, seed, 0).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
  // 23 degrees of freedom: 49.7 is exceeded once in a thousand times, and the seeds are fixed.
  expect(chiSquared).toBeLessThan(49.7);
});

test('a sampler restored from its state continues as the first would have', () => {
  for (const shuffle of [true, false]) {
    const first = new OrderedSampler({ length: 5, seed: 3, shuffle });
    for (let taken = 0; taken <= 12; taken++) {
      const second = new OrderedSampler({ length: 5, seed: 3, shuffle });
      second.restore(JSON.parse(JSON.stringify(first.state())));
      const probe = new OrderedSampler({ length: 5, seed: 3, shuffle });
      probe.take(taken);
      expect(second.take(11)).toEqual(probe.take(11));
      first.next();
    }
  }
});

test('every epoch has each row once, in order without shuffling', () => {
  const shuffled = new OrderedSampler({ length: 6, seed: 1, shuffle: true });
  const epochs = [shuffled.take(6), shuffled.take(6)];
  expect(epochs[0]).not.toEqual(epochs[1]);
  for (const epoch of epochs) expect(epoch.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(shuffled.state()).toEqual({ epoch: 1, index: 6 });
  const plain = new OrderedSampler({ length: 2, seed: 1, shuffle: false });
  expect(plain.take(5)).toEqual([0, 1, 0, 1, 0]);
});

test('invalid arguments and states are rejected', () => {
  expect(() => shuffledOrder(10, 0.5, 0)).toThrow('seed: expected a whole number');
  expect(() => new OrderedSampler({ length: 0, seed: 1, shuffle: true })).toThrow('no rows');
  const sampler = new OrderedSampler({ length: 5, seed: 1, shuffle: true });
  expect(() => sampler.restore({ epoch: 0, index: 6 })).toThrow('index: expected');
});

describe('a stratified order', () => {
  const keys = Array.from({ length: 22 }, (_, row) => (row * 7) % 22);
  const order = (epoch: number) => [...stratifiedOrder({ keys, count: 4 }, 3, epoch)];

  it('has every row once, and one of each quarter in any four consecutive rows', () => {
    expect(order(0).toSorted((a, b) => a - b)).toEqual(keys.map((_, row) => row));
    // Layers of 6, 6, 5 and 5 keys: five whole batches, with one row left over in each of the first
    // two layers.
    const layers = order(0).map((row) => [6, 12, 17, 22].findIndex((end) => keys[row]! < end));
    for (let start = 0; start + 4 <= 22; start++)
      expect(new Set(layers.slice(start, start + 4)).size).toBe(4);
    expect(layers.slice(20)).toEqual([0, 1]);
  });

  it.each([
    [53, 2],
    [10, 4],
    [21, 8],
    [5, 8],
  ])('of %d rows: every batch of %d has all layers, even across epochs', (rows, count) => {
    const ascending = Array.from({ length: rows }, (_, row) => row);
    const stream = Array.from({ length: 9 }, (_, epoch) => [
      ...stratifiedOrder({ keys: ascending, count }, 3, epoch),
    ]).flat();
    for (let start = 0; start + count <= stream.length; start += count) {
      const batch = stream.slice(start, start + count).sort((a, b) => a - b);
      // The border between two layers may move by a row from one epoch to the next.
      batch.forEach((key, layer) => {
        expect(key, batch.join()).toBeGreaterThanOrEqual(Math.floor((layer * rows) / count) - 1);
        expect(key, batch.join()).toBeLessThanOrEqual(Math.ceil(((layer + 1) * rows) / count));
      });
    }
  });

  it.each([1, 3, 7, 22, 30])('has every row once in batches of %d', (count) => {
    const found = [...stratifiedOrder({ keys, count }, 3, 0)];
    expect(found.toSorted((a, b) => a - b)).toEqual(keys.map((_, row) => row));
  });

  it('differs between epochs, and is reproducible', () => {
    expect(order(1)).not.toEqual(order(0));
    expect(order(1)).toEqual(order(1));
  });

  it('continues from its state', () => {
    const sampler = () =>
      new OrderedSampler({ length: 22, seed: 3, shuffle: true, strata: { keys, count: 4 } });
    const whole = sampler().take(50);
    const first = sampler();
    first.take(27);
    const second = sampler();
    second.restore(first.state());
    expect(second.take(23)).toEqual(whole.slice(27));
    const other = { length: 5, seed: 1, shuffle: true, strata: { keys, count: 4 } };
    expect(() => new OrderedSampler(other)).toThrow(/22 keys for 5 rows/);
  });
});
