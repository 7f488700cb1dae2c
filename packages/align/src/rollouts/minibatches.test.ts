import { expect, it } from 'vitest';
import { minibatchesOf } from './minibatches.ts';

const groups = [0, 0, 1, 1, 2, 2];
const answers = groups.map((_, sequence) => [sequence]);
const stepsOf = (how: { epochs: number; minibatches: number }, units = answers): number[][] =>
  minibatchesOf(units, groups, { ...how, seed: 1 }).map((step) => step.flat());

it('one minibatch is the whole batch in order, in each epoch', () => {
  const all = [0, 1, 2, 3, 4, 5];
  expect(stepsOf({ epochs: 2, minibatches: 1 })).toEqual([all, all]);
});

it('several have every answer once per epoch, with those of a prompt together', () => {
  const found = stepsOf({ epochs: 3, minibatches: 2 });
  expect(found).toHaveLength(6);
  for (let epoch = 0; epoch < 3; epoch++) {
    const both = found.slice(2 * epoch, 2 * epoch + 2);
    expect(both.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(both.map(({ length }) => length).sort()).toEqual([2, 4]);
    for (const one of both) for (const at of one) expect(one).toContain(at ^ 1);
  }
  // Each epoch has its own order, which the seed determines.
  expect(new Set(found.filter((_, at) => at % 2 === 0).map(String)).size).toBeGreaterThan(1);
  expect(stepsOf({ epochs: 3, minibatches: 2 })).toEqual(found);
});

it('more minibatches than prompts divide the answers to a prompt', () => {
  const found = stepsOf({ epochs: 1, minibatches: 5 });
  expect(found.map(({ length }) => length).sort()).toEqual([1, 1, 1, 1, 2]);
  expect(found.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

it.each([2, 3, 4, 8])('pairs stay whole, and %d minibatches have no empty step', (minibatches) => {
  const pairs = [
    [1, 0],
    [4, 5],
  ];
  const found = minibatchesOf(pairs, groups, { epochs: 2, minibatches, seed: 1 });
  expect(found).toHaveLength(4);
  expect(found.slice(0, 2).flat().sort()).toEqual(pairs);
  for (const step of found) expect(step).toHaveLength(1);
});

it('an empty batch has no step', () => {
  for (const minibatches of [1, 3]) expect(stepsOf({ epochs: 2, minibatches }, [])).toEqual([]);
});
