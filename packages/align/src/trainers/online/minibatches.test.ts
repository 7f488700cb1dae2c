import { expect, it } from 'vitest';
import { minibatchesOf } from './minibatches.ts';

const groups = [0, 0, 1, 1, 2, 2];

it('one minibatch is the whole batch in its order, each epoch', () => {
  const all = [0, 1, 2, 3, 4, 5];
  expect(minibatchesOf(groups, { epochs: 2, minibatches: 1, seed: 1 })).toEqual([all, all]);
});

it('several have every answer once an epoch, those of one prompt together', () => {
  const found = minibatchesOf(groups, { epochs: 3, minibatches: 2, seed: 1 });
  expect(found).toHaveLength(6);
  for (let epoch = 0; epoch < 3; epoch++) {
    const both = found.slice(2 * epoch, 2 * epoch + 2);
    expect(both.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(both.map(({ length }) => length).sort()).toEqual([2, 4]);
    for (const one of both) for (const at of one) expect(one).toContain(at ^ 1);
  }
  // Each epoch has an order of its own, the same for the same seed.
  expect(new Set(found.filter((_, at) => at % 2 === 0).map(String)).size).toBeGreaterThan(1);
  expect(minibatchesOf(groups, { epochs: 3, minibatches: 2, seed: 1 })).toEqual(found);
});

it('more minibatches than prompts cut groups up', () => {
  const found = minibatchesOf(groups, { epochs: 1, minibatches: 5, seed: 1 });
  expect(found.map(({ length }) => length).sort()).toEqual([1, 1, 1, 1, 2]);
  expect(found.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
});
