import { describe, expect, it } from 'vitest';
import { draws } from '../testing/tiny-chat-model.ts';
import { splitMicroBatches } from './micro-batches.ts';

describe('splitMicroBatches', () => {
  it('by rows keeps their order', () => {
    const limit = { rows: 2, tokens: null };
    expect(splitMicroBatches([9, 1, 5, 3, 7], limit)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('without a limit makes one pass', () => {
    expect(splitMicroBatches([9, 1, 5], { rows: null, tokens: null })).toEqual([[0, 1, 2]]);
    expect(splitMicroBatches([], { rows: null, tokens: null })).toEqual([]);
  });

  it('by tokens makes few passes of similar length, the longest first', () => {
    const limit = { rows: null, tokens: 10 };
    expect(splitMicroBatches([9, 1, 5, 3, 7], limit)).toEqual([[0], [2, 3], [1, 4]]);
    // 12 tokens in two passes: 6 and 6, not 10 and 2.
    expect(splitMicroBatches([2, 2, 2, 2, 2, 2], limit).map((pass) => pass.length)).toEqual([3, 3]);
  });

  it('puts a row above the budget in its own pass', () => {
    expect(splitMicroBatches([4, 50, 4], { rows: null, tokens: 10 })).toEqual([[1], [0, 2]]);
  });

  it('assigns rows of the same length in their order', () => {
    expect(splitMicroBatches([3, 3, 3, 3], { rows: null, tokens: 6 })).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });

  it('keeps every row once and stays within the budget for any lengths', () => {
    const draw = draws(1);
    for (let trial = 0; trial < 200; trial++) {
      const lengths = Array.from({ length: 1 + draw(40) }, () => 1 + draw(60));
      const budget = 1 + draw(120);
      const passes = splitMicroBatches(lengths, { rows: null, tokens: budget });
      expect(passes.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
      const sum = (pass: readonly number[]): number =>
        pass.reduce((total, index) => total + lengths[index]!, 0);
      for (const pass of passes) {
        expect(pass.length).toBeGreaterThan(0);
        if (pass.length > 1) expect(sum(pass)).toBeLessThanOrEqual(budget);
      }
      const fitting = passes.filter((pass) => sum(pass) <= budget);
      const total = fitting.reduce((whole, pass) => whole + sum(pass), 0);
      if (fitting.length === 0) continue;
      // Passes differ by less than their longest row: otherwise it would be in the shorter pass.
      const [longest, shortest] = [sum(fitting[0]!), sum(fitting.at(-1)!)];
      const longestRow = Math.max(...fitting.flat().map((index) => lengths[index]!));
      expect(longest - shortest).toBeLessThanOrEqual(longestRow);
      // If a row no longer fits, every pass is more than half full.
      expect(fitting.length).toBeLessThanOrEqual(Math.ceil((2 * total) / budget));
    }
  });
});
