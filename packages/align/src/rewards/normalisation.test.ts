import { describe, expect, test } from 'vitest';
import {
  measureNormalisation,
  normaliseRewards,
  parseNormalisation,
  RunningMoments,
  serialiseNormalisation,
} from './normalisation.ts';

const momentsOf = (values: number[]): RunningMoments => {
  const moments = new RunningMoments();
  for (const value of values) moments.add(value);
  return moments;
};

describe('moments', () => {
  test('a large offset loses no digits', () => {
    // The sum of squares less the square of the sum gives 0 or rubbish here.
    const moments = momentsOf([4, 7, 13, 16].map((value) => value + 1e9));
    expect(moments.mean).toBe(1e9 + 10);
    expect(moments.standardDeviation).toBeCloseTo(Math.sqrt(30), 9);
  });

  test('parts merged are the whole', () => {
    const values = Array.from({ length: 101 }, (_, index) => Math.sin(index) * 3 + 50);
    const whole = momentsOf(values);
    const merged = new RunningMoments();
    for (const part of [values.slice(0, 7), [], values.slice(7, 60), values.slice(60)]) {
      merged.merge(momentsOf(part));
    }
    expect(merged.count).toBe(101);
    expect(merged.mean).toBeCloseTo(whole.mean, 12);
    expect(merged.standardDeviation).toBeCloseTo(whole.standardDeviation, 12);
  });

  test('one value has no deviation, and NaN is no score', () => {
    expect(momentsOf([3]).standardDeviation).toBe(0);
    expect(() => momentsOf([1, Number.NaN])).toThrow('NaN is no score');
  });
});

describe('normalisation', () => {
  const heads = [
    [1, 2, 3, 6],
    [-5, -5, 5, 9],
  ];

  test('the reference set has mean 0 in each head, and deviation 1 when asked', () => {
    for (const scale of [false, true]) {
      const measured = measureNormalisation(heads, { scale });
      const after = measureNormalisation(normaliseRewards(heads, measured));
      for (const [head, { mean, standardDeviation }] of after.heads.entries()) {
        expect(mean).toBeCloseTo(0, 12);
        const expected = scale ? 1 : measured.heads[head]!.standardDeviation;
        expect(standardDeviation).toBeCloseTo(expected, 12);
      }
    }
  });

  test('what is written is read again', () => {
    const measured = measureNormalisation(heads, { scale: true });
    expect(parseNormalisation(serialiseNormalisation(measured), 'f.json')).toEqual(measured);
  });

  test('errors say what and where', () => {
    expect(() => parseNormalisation('{', 'a/f.json')).toThrow('a/f.json is no JSON');
    expect(() =>
      parseNormalisation('{"count":1,"scale":false,"heads":[{"mean":0}]}', 'a/f.json'),
    ).toThrow('a/f.json is no reward normalisation: heads.0.standardDeviation');
    expect(() => measureNormalisation([])).toThrow('got no head');
    expect(() => measureNormalisation([[1], [1, 2]])).toThrow('got 1, 2');
    expect(() => measureNormalisation([[2, 2]], { scale: true })).toThrow('head 0 gives all 2');
    expect(() => normaliseRewards([[1]], measureNormalisation(heads))).toThrow('is of 2 heads');
  });
});
