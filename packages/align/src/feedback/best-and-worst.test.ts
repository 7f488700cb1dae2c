import { expect, test } from 'vitest';
import { bestAndWorst } from './best-and-worst.ts';

test('the highest and the lowest rating make the pair', () => {
  expect(bestAndWorst([2, 5, 1, 4], [1, 9, 1, 1], 0)).toEqual({ best: 1, worst: 2 });
});

test('of equal ratings the shortest is chosen and the longest rejected', () => {
  expect(bestAndWorst([5, 5, 1, 1], [9, 3, 4, 8], 0)).toEqual({ best: 1, worst: 3 });
  expect(bestAndWorst([5, 5, 1, 1], [3, 3, 4, 4], 0)).toEqual({ best: 0, worst: 2 });
});

test('the guard counts nearly equal ratings as equal, up to its share of the range', () => {
  const ratings = [5, 4.6, 3, 1.4, 1];
  const lengths = [50, 20, 1, 90, 30];
  expect(bestAndWorst(ratings, lengths, 0.09)).toEqual({ best: 0, worst: 4 });
  expect(bestAndWorst(ratings, lengths, 0.11)).toEqual({ best: 1, worst: 3 });
});

test('there is no pair without two different ratings', () => {
  expect(bestAndWorst([3, 3, 3], [1, 2, 3], 0)).toBeNull();
  expect(bestAndWorst([null, 4], [1, 2], 0)).toBeNull();
  expect(bestAndWorst([], [], 0)).toBeNull();
  expect(bestAndWorst([null, 4, 2], [1, 2, 3], 0.4)).toEqual({ best: 1, worst: 2 });
});
