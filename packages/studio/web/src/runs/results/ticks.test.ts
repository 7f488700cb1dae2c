import { expect, test } from 'vitest';
import { scaleOf } from './ticks.ts';

test.each<[number[], number[]]>([
  [
    [0, 1],
    [0, 0.2, 0.4, 0.6, 0.8, 1],
  ],
  [
    [-3, 17],
    [-5, 0, 5, 10, 15, 20],
  ],
  [
    [980, 1020],
    [980, 990, 1000, 1010, 1020],
  ],
  [
    [0.1, 0.3],
    [0.1, 0.15, 0.2, 0.25, 0.3],
  ],
])('%j has the ticks %j', (values, ticks) => {
  expect(scaleOf(values, [0, 100]).ticks).toEqual(ticks);
});

test('values are placed between the ends, and stay there', () => {
  const { at, ticks } = scaleOf([0, 10], [100, 0]);
  expect([at(0), at(5), at(10), at(99)]).toEqual([100, 50, 0, 0]);
  expect(ticks[0]).toBe(0);
});

test('one value, no value, and values that are not finite have a scale', () => {
  for (const values of [[5], [0], [], [Number.NaN, Number.POSITIVE_INFINITY, 1]]) {
    const { at, ticks } = scaleOf(values, [0, 100]);
    expect(ticks.length).toBeGreaterThan(1);
    expect(Number.isFinite(at(values[0] ?? 0) || 0)).toBe(true);
  }
});
