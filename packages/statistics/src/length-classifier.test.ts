import { expect, test } from 'vitest';
import { lengthOnlyAccuracy } from './length-classifier.ts';

const pairs = (count: number, pair: (index: number) => [number, number]) =>
  Array.from({ length: count }, (_, index) => {
    const [chosen, rejected] = pair(index);
    return { chosen, rejected };
  });

test('both detect that the chosen answer is always shorter', () => {
  const rows = pairs(40, (index) => [10 + (index % 5), 30 + (index % 7)]);
  expect(lengthOnlyAccuracy(rows, rows)).toEqual({ threshold: 1, logistic: 1 });
});

test('classifiers are measured on the held-out pairs', () => {
  const training = pairs(40, (index) => [10 + (index % 5), 30]);
  const opposite = pairs(10, () => [30, 10]);
  expect(lengthOnlyAccuracy(training, opposite)).toEqual({ threshold: 0, logistic: 0 });
});

test('balanced lengths carry no information', () => {
  const rows = pairs(40, (index) => (index % 2 ? [12, 25] : [25, 12]));
  expect(lengthOnlyAccuracy(rows, rows)).toEqual({ threshold: 0.5, logistic: 0.5 });
  const equal = pairs(10, () => [7, 7]);
  expect(lengthOnlyAccuracy(equal, equal)).toEqual({ threshold: 0.5, logistic: 0.5 });
});

test('only large, informative differences are used', () => {
  // With a difference of 20 the longer is chosen; with a difference of 1 the shorter is chosen in
  // two of three.
  const rows = pairs(60, (index) => (index % 2 ? [40, 20] : index % 3 ? [20, 21] : [21, 20]));
  expect(lengthOnlyAccuracy(rows, rows).threshold).toBeCloseTo(0.5 + 0.5 / 2, 12);
});

test('only the logistic classifier fully detects a preferred middle length', () => {
  const rows = pairs(40, (index) => [20, index % 2 ? 5 : 80]);
  const found = lengthOnlyAccuracy(rows, rows);
  // The differences are 15 and -60: a threshold detects the large ones, whose chosen answer is
  // shorter.
  expect(found.threshold).toBe(0.75);
  expect(found.logistic).toBe(1);
});

test('rejects empty lists', () => {
  expect(() =>
    lengthOnlyAccuracy(
      [],
      pairs(1, () => [1, 2]),
    ),
  ).toThrow(RangeError);
});
