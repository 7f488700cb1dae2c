import { describe, expect, it } from 'vitest';
import { uniforms } from '../simulation/small-world.ts';
import { bestAndWorst, bestOfEach, bradleyTerryPairs, wideEnough } from './preference-pairs.ts';
import { RolloutLayout } from './rollout.ts';

const layoutOf = (groups: number[]) =>
  RolloutLayout.of(
    groups.map(() => 1),
    groups,
  );
const layout = layoutOf([0, 1, 0, 1, 0, 1]);

describe('bestAndWorst', () => {
  it('finds the best and the worst of each prompt, with their margin', () => {
    expect(bestAndWorst(layout, [1, 5, 3, -2, 2, 9])).toEqual({
      pairs: [
        { chosen: 2, rejected: 0, margin: 2 },
        { chosen: 5, rejected: 3, margin: 11 },
      ],
      ties: 0,
    });
  });

  it('a prompt without a best answer makes no pair, but is counted', () => {
    const found = bestAndWorst(layout, [1, 5, 1, -2, 1, 9]);
    expect(found).toEqual({ pairs: [{ chosen: 5, rejected: 3, margin: 11 }], ties: 1 });
  });

  it("ties: 'first' is TRL's: the first of two equal completions counts as better", () => {
    const found = bestAndWorst(layoutOf([0, 0]), [4, 4], { ties: 'first' });
    expect(found).toEqual({ pairs: [{ chosen: 0, rejected: 1, margin: 0 }], ties: 1 });
  });

  it('never pairs a completion with itself', () => {
    const found = bestAndWorst(layoutOf([0, 0, 0]), [4, 4, 1]).pairs[0]!;
    expect([found.chosen, found.rejected]).toEqual([0, 2]);
  });

  it('rejects a single completion and a reward that is not finite', () => {
    expect(() => bestAndWorst(layoutOf([2]), [1])).toThrow(/prompt 2 has one completion/);
    expect(() => bestAndWorst(layoutOf([0, 0]), [1, Number.NaN])).toThrow(/sequence 1 is NaN/);
  });
});

describe('wideEnough', () => {
  const { pairs } = bestAndWorst(layout, [1, 5, 3, -2, 2, 9]);
  it.each([
    [0, [2, 11], 0],
    [2, [2, 11], 0],
    [2.5, [11], 1],
    [12, [], 2],
  ])('keeps pairs that are %d apart or more', (least, margins, narrow) => {
    const found = wideEnough(pairs, least);
    expect(found.pairs.map(({ margin }) => margin)).toEqual(margins);
    expect(found.narrow).toBe(narrow);
  });
});

describe('bradleyTerryPairs', () => {
  it('chooses the first of two with probability s(r1 - r2)', () => {
    const groups = Array.from({ length: 4000 }, (_, at) => Math.floor(at / 2));
    const rewards = groups.map((_, at) => (at % 2 === 0 ? 0.8 : 0));
    const { pairs } = bradleyTerryPairs(layoutOf(groups), rewards, uniforms(1));
    const wins = pairs.filter((pair) => pair.chosen % 2 === 0).length / pairs.length;
    const expected = 1 / (1 + Math.exp(-0.8));
    expect(Math.abs(wins - expected)).toBeLessThan(
      3 * Math.sqrt((expected * (1 - expected)) / 2000),
    );
    expect(pairs.find((pair) => pair.chosen % 2 === 1)!.margin).toBe(-0.8);
  });

  it('is certain, not NaN, for rewards far apart', () => {
    const { pairs } = bradleyTerryPairs(layoutOf([0, 0, 1, 1]), [1e4, 0, 0, 1e4], () => 0.5);
    expect(pairs.map((pair) => pair.chosen)).toEqual([0, 3]);
  });
});

describe('bestOfEach', () => {
  it('takes the first of equal completions, and a single one as it is', () => {
    expect(bestOfEach(layoutOf([0, 1, 0, 2]), [3, 1, 3, -9])).toEqual([0, 1, 3]);
  });
});
