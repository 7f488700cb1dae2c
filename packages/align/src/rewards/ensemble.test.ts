import { describe, expect, test } from 'vitest';
import { combineEnsemble, ensembleDeviation, ensembleRules } from './ensemble.ts';

// Three members, two answers: they agree on the first and differ on the second.
const members = [
  [1, 0],
  [1, 2],
  [1, 4],
];

describe('rules', () => {
  test('by hand', () => {
    expect(combineEnsemble(members, 'mean')).toEqual([1, 2]);
    expect(combineEnsemble(members, 'minimum')).toEqual([1, 0]);
    // Squares 4 + 0 + 4: sample deviation sqrt(8 / 2), population variance 8 / 3.
    expect(combineEnsemble(members, 'lower_bound', 0.5)).toEqual([1, 1]);
    expect(combineEnsemble(members, 'uncertainty_weighted', 0.3)).toEqual([
      1,
      expect.closeTo(2 - 0.8, 12),
    ]);
  });

  test('a constant on all members shifts each by that constant; zero weight is the mean', () => {
    const raised = members.map((scores) => scores.map((score) => score + 10));
    for (const rule of ensembleRules) {
      const before = combineEnsemble(members, rule, 2);
      for (const [index, score] of combineEnsemble(raised, rule, 2).entries()) {
        expect(score).toBeCloseTo(before[index]! + 10, 12);
      }
    }
    expect(combineEnsemble(members, 'lower_bound', 0)).toEqual(combineEnsemble(members, 'mean'));
  });

  test('one member is returned as it is, and has no disagreement to weigh', () => {
    expect(combineEnsemble([[3, -1]], 'mean')).toEqual([3, -1]);
    expect(combineEnsemble([Float32Array.of(3, -1)], 'minimum')).toEqual([3, -1]);
    expect(() => combineEnsemble([[3]], 'lower_bound')).toThrow('needs two or more, got 1');
    expect(() => combineEnsemble([[3]], 'uncertainty_weighted')).toThrow(RangeError);
  });

  test('members with different numbers of answers are rejected', () => {
    expect(() => combineEnsemble([[1, 2], [1]], 'mean')).toThrow(/2 and 1/);
    expect(() => combineEnsemble([], 'mean')).toThrow('at least one member');
  });
});

test('disagreement is the sample deviation', () => {
  expect(ensembleDeviation(members)).toEqual([0, 2]);
  expect(ensembleDeviation([[5, 6]])).toEqual([0, 0]);
});
