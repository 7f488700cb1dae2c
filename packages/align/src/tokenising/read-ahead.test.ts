import { describe, expect, it } from 'vitest';
import { OrderedSampler } from '../data/shuffle.ts';
import { ReadAhead } from './read-ahead.ts';

const order = { length: 10, seed: 3, shuffle: true };

function readingAhead(worthwhile: boolean, bad = new Set<number>()) {
  const sampler = new OrderedSampler(order);
  const loaded: number[][] = [];
  const load = async (indices: readonly number[]) => {
    loaded.push([...indices]);
    if (indices.some((index) => bad.has(index))) throw new Error('this row cannot be read');
    return indices.map((index) => ({ tokens: `row ${index}` }));
  };
  return { sampler, loaded, ahead: new ReadAhead(sampler, load, () => worthwhile) };
}

describe('ReadAhead', () => {
  it.each([true, false])('keeps the order of the sampler; ahead: %s', async (worthwhile) => {
    const { sampler, loaded, ahead } = readingAhead(worthwhile);
    const plain = new OrderedSampler(order);
    for (const count of [3, 3, 1, 5, 2, 4, 8]) {
      const rows = await ahead.take(count);
      expect(rows.map(({ index }) => index)).toEqual(plain.take(count));
      for (const { index, outcome } of rows) expect(outcome).toEqual({ tokens: `row ${index}` });
      expect(sampler.state()).toEqual(plain.state());
    }
    expect(loaded.flat().length).toBeGreaterThanOrEqual(26);
    if (!worthwhile) expect(loaded.flat()).toHaveLength(26);
  });

  it('loads the next two steps ahead when a step starts', async () => {
    const { loaded, ahead } = readingAhead(true);
    await ahead.take(2);
    expect(loaded).toHaveLength(3);
    await ahead.take(2);
    expect(loaded).toHaveLength(4);
    expect(loaded.flat()).toEqual(new OrderedSampler(order).take(8));
  });

  it('continues from where the sampler was moved', async () => {
    const { sampler, ahead } = readingAhead(true);
    await ahead.take(4);
    const state = { epoch: 2, index: 7 };
    sampler.restore(state);
    ahead.forget();
    const plain = new OrderedSampler(order);
    plain.restore(state);
    expect((await ahead.take(6)).map(({ index }) => index)).toEqual(plain.take(6));
  });

  it('reports an error when the row is taken, not before', async () => {
    const sequence = new OrderedSampler(order).take(4);
    const { ahead } = readingAhead(true, new Set([sequence[2]!]));
    expect((await ahead.take(2)).map(({ index }) => index)).toEqual(sequence.slice(0, 2));
    await expect(ahead.take(2)).rejects.toThrow('cannot be read');
  });
});
