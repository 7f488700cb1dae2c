import { expect, it } from 'vitest';
import { courseOf } from './run-course.ts';

const answer = (step: number, reward: number | null, more: object = {}) => ({
  ...{ step, reward, completion: 'x'.repeat(step + 1), kl: null, gold: null },
  ...more,
});

it('has rises in standard deviations of the first answers, and means of the others', () => {
  const lines = [
    answer(0, 1, { gold: 5, kl: 0 }),
    answer(0, 3, { gold: 5, kl: 0 }),
    answer(4, 4, { gold: 4, kl: 2 }),
    answer(4, 4, { gold: null, kl: 4 }),
  ];
  expect(courseOf(lines)).toEqual([
    { step: 0, reward: 0, gold: 0, kl: 0, length: 1 },
    // The first rewards have a mean of 2 and a deviation of 1; the gold ones do not vary.
    { step: 4, reward: 2, gold: -1, kl: 3, length: 5 },
  ]);
});

it('leaves out what no answer has', () => {
  expect(courseOf([answer(0, null), answer(2, null)])).toEqual([
    { step: 0, reward: null, gold: null, kl: null, length: 1 },
    { step: 2, reward: null, gold: null, kl: null, length: 3 },
  ]);
  expect(courseOf([])).toEqual([]);
});
