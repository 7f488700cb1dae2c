import { expectedOfBest } from '@keel/align/objectives';
import { bestOfNKl } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { agreementOf, bestOfNPoints, meanPoints, steadySizes } from './best-of-n-curve.ts';
import { unitOf } from './unit.ts';

const prompts = [
  { gold: [1, 2, 3, 4], proxy: [4, 1, 2, 3] },
  { gold: [0, 0, 1, 5], proxy: [1, 2, 3, 9] },
];
const units = { gold: { mean: 2, deviation: 2 }, proxy: { mean: 0, deviation: 1 } };

it('sizes go up to all answers, and grow steadily', () => {
  expect(steadySizes(2)).toEqual([1, 2]);
  expect(steadySizes(8)).toEqual([1, 2, 3, 4, 6, 8]);
  expect(steadySizes(20)).toEqual([1, 2, 3, 4, 6, 8, 12, 16, 20]);
});

describe('points', () => {
  it('are rises over the mean of a prompt, in units, by the unbiased estimator', () => {
    const [one, two, all] = bestOfNPoints(prompts, [1, 2, 4], units);
    expect(one!.gold.every((value) => Math.abs(value) < 1e-12)).toBe(true);
    expect(two!.gold[0]).toBeCloseTo(
      (expectedOfBest(prompts[0]!.proxy, prompts[0]!.gold, 2) - 2.5) / 2,
      12,
    );
    expect(all!.gold[0]).toBeCloseTo((1 - 2.5) / 2, 12);
    expect(all!.proxy[1]).toBeCloseTo(9 - 3.75, 12);
    expect(all!.kl).toEqual([bestOfNKl(4), bestOfNKl(4)]);
  });

  it('of a group are the mean over its seeds', () => {
    const own = bestOfNPoints(prompts, [1, 4], units);
    const other = bestOfNPoints(
      prompts.map(({ gold }) => ({ gold, proxy: gold })),
      [1, 4],
      units,
    );
    const [, last] = meanPoints([own, other]);
    expect(last!.gold[0]).toBeCloseTo((own[1]!.gold[0]! + other[1]!.gold[0]!) / 2, 12);
  });
});

it('agreement counts pairs that gold orders; ties of the proxy are half', () => {
  expect(agreementOf(prompts[0]!)).toBe(0.5);
  expect(agreementOf({ gold: [0, 1], proxy: [2, 2] })).toBe(0.5);
  expect(agreementOf({ gold: [0, 0], proxy: [1, 2] })).toBeNull();
  expect(agreementOf({ gold: [0, 1, 1], proxy: [0, 1, 2] })).toBe(1);
});

it('a reward that is the same for all answers cannot be optimised', () => {
  expect(() => unitOf([1, 1], 'p64-s1')).toThrow(/p64-s1 gives all 2 answers/);
  expect(unitOf([1, 3], 'gold')).toEqual({ mean: 2, deviation: 1 });
});
