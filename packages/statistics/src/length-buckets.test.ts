import { describe, expect, test } from 'vitest';
import {
  accuracyOf,
  lengthBuckets,
  longerWins,
  rewardPrefersLonger,
  type ScoredPair,
} from './length-buckets.ts';

/** Chosen is longer by `longer` and better by `gap`. */
const pair = (longer: number, gap: number): ScoredPair => ({
  chosen: { score: gap, length: 100 + longer },
  rejected: { score: 0, length: 100 },
});

test('accuracy and the rule; ties count as half right', () => {
  const pairs = [pair(5, 1), pair(-5, 1), pair(0, -1), pair(3, 0)];
  expect(accuracyOf(pairs)).toMatchObject({ value: 2.5 / 4, count: 4 });
  expect(longerWins(pairs)).toMatchObject({ value: 2.5 / 4, count: 4 });
  expect(accuracyOf([])).toBeNull();
});

describe('buckets', () => {
  test('a reward that equals length is always right on one side and always wrong on the other', () => {
    const pairs = [1, 2, 8, 9, 40, -1, -9, -41].map((longer) => pair(longer, longer));
    const buckets = lengthBuckets(pairs, { edges: [5, 20] });
    expect(buckets.map(({ from, to, all }) => [from, to, all.count])).toEqual([
      [1, 2, 3],
      [8, 9, 3],
      [40, 41, 2],
    ]);
    for (const { all, chosenLonger, chosenShorter, longerWins: rule } of buckets) {
      expect(chosenLonger!.value).toBe(1);
      expect(chosenShorter!.value).toBe(0);
      expect(all.value).toBe(rule.value);
    }
  });

  test('equal lengths are separate, and a side without pairs is null', () => {
    const [equal, rest] = lengthBuckets([pair(0, 1), pair(0, -1), pair(4, 1)], { buckets: 1 });
    expect(equal).toMatchObject({
      from: 0,
      to: 0,
      all: { value: 0.5 },
      longerWins: { value: 0.5 },
    });
    expect(equal!.chosenLonger).toBeNull();
    expect(rest).toMatchObject({ from: 4, to: 4, chosenShorter: null });
  });

  test('without edges, buckets have about equal numbers of pairs, and none is lost', () => {
    const pairs = Array.from({ length: 100 }, (_, index) => pair((index % 50) - 25, 1));
    const buckets = lengthBuckets(pairs);
    const counts = buckets.map(({ all }) => all.count);
    expect(counts[0]).toBe(2);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
    for (const count of counts.slice(1)) expect(Math.abs(count - 24.5)).toBeLessThan(5);
    expect(lengthBuckets([pair(3, 1), pair(3, 1)])).toHaveLength(1);
    expect(lengthBuckets([])).toEqual([]);
  });

  test('rejects edges that are not increasing', () => {
    expect(() => lengthBuckets([pair(1, 1)], { edges: [5, 5] })).toThrow('5, 5');
    expect(() => lengthBuckets([pair(1, 1)], { edges: [0] })).toThrow(RangeError);
  });
});

test('the preference for longer answers does not depend on which was chosen', () => {
  const cases = [pair(5, 1), pair(-5, -1), pair(5, -1), pair(-5, 1), pair(0, 1), pair(5, 0)];
  expect(cases.map(rewardPrefersLonger)).toEqual([1, 1, 0, 0, 0.5, 0.5]);
});
