import { describe, expect, test } from 'vitest';
import { RunningMoments } from './running-moments.ts';

const momentsOf = (values: number[]): RunningMoments => {
  const moments = new RunningMoments();
  for (const value of values) moments.add(value);
  return moments;
};

describe('moments', () => {
  test('a large offset loses no digits', () => {
    // The sum of squares minus the square of the sum gives 0 or noise here.
    const moments = momentsOf([4, 7, 13, 16].map((value) => value + 1e9));
    expect(moments.mean).toBe(1e9 + 10);
    expect(moments.standardDeviation).toBeCloseTo(Math.sqrt(30), 9);
  });

  test('merged parts equal the whole', () => {
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

  test('one value has no deviation, and NaN is rejected', () => {
    expect(momentsOf([3]).standardDeviation).toBe(0);
    expect(() => momentsOf([1, Number.NaN])).toThrow(/NaN/);
  });

  test('continue from their state bit for bit', () => {
    const one = momentsOf([3, 1.5, -2]);
    const other = new RunningMoments();
    other.restore(JSON.parse(JSON.stringify(one.state())));
    for (const each of [one, other]) for (const value of [0.1, 0.7]) each.add(value);
    expect(other.state()).toEqual(one.state());
    expect(other.count).toBe(5);
  });

  test('a damaged state is rejected, and nothing is changed', () => {
    const moments = momentsOf([2]);
    for (const damaged of [
      { count: -1, mean: 0, squares: 0 },
      { count: 1, mean: Number.NaN, squares: 0 },
      { count: 2, mean: 0, squares: -1 },
    ]) {
      expect(() => moments.restore(damaged)).toThrow('not a state of running moments');
    }
    expect(moments.state()).toEqual({ count: 1, mean: 2, squares: 0 });
  });
});
