import { describe, expect, it } from 'vitest';
import { chooseGold, goldPairs, goldPairsDue } from './gold-labels.ts';

describe('goldPairsDue', () => {
  it('reaches the share of prompts over time, and is one at first', () => {
    let labelled = 0;
    const found = Array.from({ length: 10 }, (_, batch) => {
      const due = goldPairsDue(
        { share: 0.1, budget: null },
        { prompts: 3 * (batch + 1), labelled },
      );
      labelled += due;
      return due;
    });
    expect(found).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0, 0]);
    expect(labelled).toBe(3);
  });

  it('ends with the budget', () => {
    const asked = { share: 0.5, budget: 5 };
    expect(goldPairsDue(asked, { prompts: 8, labelled: 0 })).toBe(4);
    expect(goldPairsDue(asked, { prompts: 16, labelled: 4 })).toBe(1);
    expect(goldPairsDue(asked, { prompts: 24, labelled: 5 })).toBe(0);
    expect(goldPairsDue({ share: 1, budget: null }, { prompts: 24, labelled: 16 })).toBe(8);
  });
});

describe('chooseGold', () => {
  const margins = [3, 0.5, 2, 0.5];
  it('chooses the first pairs of a random order', () => {
    expect(chooseGold(margins, [2, 0, 3, 1], { count: 2, how: 'random' })).toEqual([2, 0]);
  });

  it('or chooses the pairs that the discriminator is least sure of, at random if equal', () => {
    const how = 'uncertain';
    expect(chooseGold(margins, [2, 3, 0, 1], { count: 3, how })).toEqual([3, 1, 2]);
    expect(chooseGold(margins, [1, 3, 0, 2], { count: 1, how })).toEqual([1]);
    expect(chooseGold(margins, [0, 1, 2, 3], { count: 9, how })).toHaveLength(4);
  });
});

describe('goldPairs', () => {
  const pair = (chosen: number, rejected: number, margin: number) => ({ chosen, rejected, margin });
  it('orders pairs as gold does, and counts agreement', () => {
    const rewards = new Map([
      [0, 1],
      [1, 4],
      [2, 7],
      [3, 5],
      [4, 2],
      [5, 2],
      [6, 0],
      [7, 9],
    ]);
    const found = goldPairs([pair(0, 1, 2), pair(2, 3, 1), pair(4, 5, 1), pair(6, 7, 0)], rewards);
    expect(found).toEqual({
      pairs: [pair(1, 0, 3), pair(2, 3, 2), pair(7, 6, 9)],
      ties: 1,
      // Disagreement on the first, agreement on the second, and half for the last without a
      // preference.
      agreed: 1.5,
    });
  });

  it('rejects rewards that are not finite', () => {
    expect(() => goldPairs([pair(0, 1, 1)], new Map([[0, 1]]))).toThrow(
      /gap of gold rewards is NaN/,
    );
  });
});
