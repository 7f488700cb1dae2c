import { describe, expect, it } from 'vitest';
import { draws } from '../trainers/fixtures/tiny-chat-model.ts';
import { splitMicroBatches } from './micro-batches.ts';

describe('splitMicroBatches', () => {
  it('by rows keeps their order', () => {
    const limit = { rows: 2, tokens: null };
    expect(splitMicroBatches([9, 1, 5, 3, 7], limit)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('without a limit is one pass', () => {
    expect(splitMicroBatches([9, 1, 5], { rows: null, tokens: null })).toEqual([[0, 1, 2]]);
    expect(splitMicroBatches([], { rows: null, tokens: null })).toEqual([]);
  });

  it('by tokens puts rows of like length together, up to the budget', () => {
    const limit = { rows: null, tokens: 10 };
    expect(splitMicroBatches([9, 1, 5, 3, 7], limit)).toEqual([[1, 3, 2], [4], [0]]);
  });

  it('gives a row beyond the budget a pass of its own', () => {
    expect(splitMicroBatches([4, 50, 4], { rows: null, tokens: 10 })).toEqual([[0, 2], [1]]);
  });

  it('leaves rows of the same length in their order', () => {
    expect(splitMicroBatches([3, 3, 3, 3], { rows: null, tokens: 6 })).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('holds every row once and keeps to the budget, whatever the lengths', () => {
    const draw = draws(1);
    for (let trial = 0; trial < 200; trial++) {
      const lengths = Array.from({ length: 1 + draw(40) }, () => 1 + draw(60));
      const budget = 1 + draw(120);
      const passes = splitMicroBatches(lengths, { rows: null, tokens: budget });
      expect(passes.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
      const sum = (pass: readonly number[]): number =>
        pass.reduce((total, index) => total + lengths[index]!, 0);
      for (const [at, pass] of passes.entries()) {
        expect(pass.length).toBeGreaterThan(0);
        if (pass.length > 1) expect(sum(pass)).toBeLessThanOrEqual(budget);
        const next = passes[at + 1];
        // A pass ends only where the next row does not fit any more.
        if (next) expect(sum(pass) + lengths[next[0]!]!).toBeGreaterThan(budget);
      }
    }
  });
});
