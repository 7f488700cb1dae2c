import { expect, test } from 'vitest';
import { budgetText } from './comparison-report.ts';

test.each([
  [1, 8, '1 step of 8 pairs each'],
  [40, 1, '40 steps of 1 pair each'],
])('%i steps of %i pairs in words', (steps, batchSize, text) => {
  expect(budgetText(steps, batchSize)).toBe(text);
});
