import { expect, test } from 'vitest';
import { lengthOnlyAccuracy } from './length-classifier.ts';

const pairs = (count: number, pair: (index: number) => [number, number]) =>
  Array.from({ length: count }, (_, index) => {
    const [chosen, rejected] = pair(index);
    return { chosen, rejected };
  });

test('a chosen answer that is always shorter is found by both', () => {
  const rows = pairs(40, (index) => [10 + (index % 5), 30 + (index % 7)]);
  expect(lengthOnlyAccuracy(rows, rows)).toEqual({ threshold: 1, logistic: 1 });
});

test('what was learnt is measured on the held-out pairs', () => {
  const training = pairs(40, (index) => [10 + (index % 5), 30]);
  const opposite = pairs(10, () => [30, 10]);
  expect(lengthOnlyAccuracy(training, opposite)).toEqual({ threshold: 0, logistic: 0 });
});

test('balanced lengths tell nothing', () => {
  const rows = pairs(40, (index) => (index % 2 ? [12, 25] : [25, 12]));
  expect(lengthOnlyAccuracy(rows, rows)).toEqual({ threshold: 0.5, logistic: 0.5 });
  const equal = pairs(10, () => [7, 7]);
  expect(lengthOnlyAccuracy(equal, equal)).toEqual({ threshold: 0.5, logistic: 0.5 });
});

test('only a large difference that tells is used', () => {
  // Differing by 20 the longer is chosen; differing by 1 it is the shorter in two of three.
  const rows = pairs(60, (index) => (index % 2 ? [40, 20] : index % 3 ? [20, 21] : [21, 20]));
  expect(lengthOnlyAccuracy(rows, rows).threshold).toBeCloseTo(0.5 + 0.5 / 2, 12);
});

test('a favoured middle length is found wholly by the logistic one', () => {
  const rows = pairs(40, (index) => [20, index % 2 ? 5 : 80]);
  const found = lengthOnlyAccuracy(rows, rows);
  // The differences are 15 and -60: a threshold tells the large ones, whose chosen is the shorter.
  expect(found.threshold).toBe(0.75);
  expect(found.logistic).toBe(1);
});

test('without pairs there is nothing to fit', () => {
  expect(() =>
    lengthOnlyAccuracy(
      [],
      pairs(1, () => [1, 2]),
    ),
  ).toThrow(RangeError);
});
