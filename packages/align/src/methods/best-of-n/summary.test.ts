import { describe, expect, it } from 'vitest';
import { BestOfNTally } from './summary.ts';

const add = (tally: BestOfNTally, scores: number[]): void =>
  tally.add({ scores, tokens: scores.map(() => 5), ended: scores.map((one) => one > 0) });

describe('BestOfNTally', () => {
  it('averages the best of all subsets over prompts', () => {
    const tally = new BestOfNTally(3);
    expect(tally.means).toBeNull();
    const prompts = [
      [1, 2, 6],
      [0, 0, 3],
    ];
    for (const scores of prompts) add(tally, scores);
    tally.addLeftOut({});
    const summary = tally.summary();
    expect(summary).toMatchObject({ prompts: 2, leftOut: 1, answers: 6, meanTokens: 5, ties: 0 });
    expect(summary.ended).toBeCloseTo(4 / 6, 12);
    // Of two: (2 + 6 + 6)/3 and (0 + 3 + 3)/3.
    const expected = [(3 + 1) / 2, (14 / 3 + 2) / 2, (6 + 3) / 2];
    for (const [at, { k, reward, interval, kl }] of summary.curve.entries()) {
      expect(k).toBe(at + 1);
      expect(reward).toBeCloseTo(expected[at]!, 12);
      expect(interval[0]).toBeLessThanOrEqual(reward);
      expect(interval[1]).toBeGreaterThanOrEqual(reward);
      expect(kl).toBeCloseTo(Math.log(k) - (k - 1) / k, 12);
    }
    expect(tally.means).toEqual({ mean: 2, best: 4.5 });
  });

  it('counts prompts whose answers all have the same reward, and accepts no prompts at all', () => {
    const tally = new BestOfNTally(2);
    add(tally, [1, 1]);
    add(tally, [1, 2]);
    expect(tally.summary().ties).toBe(0.5);
    expect(new BestOfNTally(2).summary()).toMatchObject({ prompts: 0, curve: [], ended: 0 });
  });
});
