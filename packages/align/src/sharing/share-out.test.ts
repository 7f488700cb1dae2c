import { expect, it } from 'vitest';
import { draws } from '../testing/tiny-chat-model.ts';
import { rangesOf, shareOut } from './share-out.ts';

it('gives every item to one share, in order', () => {
  const draw = draws(3);
  for (let trial = 0; trial < 200; trial++) {
    const costs = Array.from({ length: draw(12) }, () => 1 + draw(50));
    const shares = shareOut(costs, 1 + draw(5));
    expect(shares.flat().sort((a, b) => a - b)).toEqual(costs.map((_, at) => at));
    for (const share of shares) expect(share).toEqual(share.toSorted((a, b) => a - b));
    const filled = shares.filter((share) => share.length > 0);
    // A share that has an earlier item is first, and empty ones are last.
    expect(filled.map(([first]) => first!)).toEqual(
      filled.map(([first]) => first!).sort((a, b) => a - b),
    );
    expect(shares.slice(0, filled.length)).toEqual(filled);
    expect(filled.length).toBe(Math.min(costs.length, shares.length));
  }
});

it('keeps the costs of shares apart by at most one item', () => {
  const draw = draws(4);
  for (let trial = 0; trial < 200; trial++) {
    const costs = Array.from({ length: 4 + draw(30) }, () => 1 + draw(500));
    const sums = shareOut(costs, 4).map((share) => share.reduce((sum, at) => sum + costs[at]!, 0));
    expect(Math.max(...sums) - Math.min(...sums)).toBeLessThanOrEqual(Math.max(...costs));
  }
});

it('keeps the order of items that are as many as shares', () => {
  expect(shareOut([3, 9, 1, 4], 4)).toEqual([[0], [1], [2], [3]]);
  expect(shareOut([5], 3)).toEqual([[0], [], []]);
});

it('divides a range into ranges', () => {
  expect(rangesOf(5, 2)).toEqual([[[0, 2]], [[2, 5]]]);
  expect(rangesOf(1, 3).flat()).toEqual([[0, 1]]);
  expect(rangesOf(0, 2)).toEqual([[], []]);
});
