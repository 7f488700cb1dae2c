import { expect, test } from 'vitest';
import { smooth } from './smooth.ts';

test('the first values are not pulled towards 0', () => {
  expect(smooth([5, 5, 5], 0.9).map((value) => Number(value.toFixed(9)))).toEqual([5, 5, 5]);
});

test('later values are means that forget', () => {
  // By hand: 0.5 * 1 + 0.25 * 3, over 1 - 0.25.
  expect(smooth([3, 1], 0.5)).toEqual([3, (0.5 + 0.75) / 0.75]);
});
