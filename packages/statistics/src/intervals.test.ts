import { describe, expect, test } from 'vitest';
import { bootstrapMeanInterval, pairedDifferenceInterval, wilsonInterval } from './intervals.ts';

describe('Wilson', () => {
  test('values of R: prop.test(x, n, correct = FALSE)', () => {
    const [low, high] = wilsonInterval(8, 10);
    expect(low).toBeCloseTo(0.4901625, 7);
    expect(high).toBeCloseTo(0.9433178, 7);
  });

  test('its limits are where the score test just rejects', () => {
    const z = 1.959963984540054;
    for (const [successes, trials] of [
      [3, 40],
      [20, 40],
      [39, 40],
    ] as const) {
      for (const end of wilsonInterval(successes, trials)) {
        const score = (successes / trials - end) / Math.sqrt((end * (1 - end)) / trials);
        expect(Math.abs(score)).toBeCloseTo(z, 9);
      }
    }
  });

  test('none and all', () => {
    const z2 = 1.959963984540054 ** 2;
    expect(wilsonInterval(0, 40)).toEqual([0, expect.closeTo(z2 / (40 + z2), 12)]);
    expect(wilsonInterval(40, 40)).toEqual([expect.closeTo(40 / (40 + z2), 12), 1]);
  });

  test('rejects invalid proportions', () => {
    for (const [successes, trials] of [
      [1, 0],
      [-1, 3],
      [4, 3],
      [Number.NaN, 3],
    ] as const) {
      expect(() => wilsonInterval(successes, trials)).toThrow(RangeError);
    }
  });
});

describe('bootstrap', () => {
  const values = Array.from({ length: 400 }, (_, index) => (index % 20) / 19);

  test('matches the normal approximation for many values', () => {
    const mean = 0.5;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const half = 1.96 * Math.sqrt(variance / values.length);
    const [low, high] = bootstrapMeanInterval(values, { seed: 1 });
    expect(low).toBeCloseTo(mean - half, 2);
    expect(high).toBeCloseTo(mean + half, 2);
  });

  test('for one value, and for equal ones, is that value', () => {
    expect(bootstrapMeanInterval([3])).toEqual([3, 3]);
    expect(bootstrapMeanInterval([0.25, 0.25, 0.25])).toEqual([0.25, 0.25]);
  });

  test('depends on the seed, and is narrower with less confidence', () => {
    expect(bootstrapMeanInterval(values, { seed: 5 })).toEqual(
      bootstrapMeanInterval(values, { seed: 5 }),
    );
    expect(bootstrapMeanInterval(values, { seed: 5 })).not.toEqual(
      bootstrapMeanInterval(values, { seed: 6 }),
    );
    const [low, high] = bootstrapMeanInterval(values, { confidence: 0.5 });
    const [lower, higher] = bootstrapMeanInterval(values);
    expect(high - low).toBeLessThan(higher - lower);
  });

  test('pairing removes variation common to both sides', () => {
    const after = values.map((value) => value + 0.1);
    const [low, high] = pairedDifferenceInterval(values, after);
    expect(low).toBeCloseTo(0.1, 12);
    expect(high).toBeCloseTo(0.1, 12);
    expect(() => pairedDifferenceInterval([1], [1, 2])).toThrow('1 values before and 2 after');
  });

  test('rejects no values, and values that are not finite', () => {
    expect(() => bootstrapMeanInterval([])).toThrow(RangeError);
    expect(() => bootstrapMeanInterval([1, Number.NaN])).toThrow('NaN');
  });
});
