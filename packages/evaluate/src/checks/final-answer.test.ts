import { expect, test } from 'vitest';
import { finalAnswer } from './final-answer.ts';
import { openCheck } from './open-check.ts';

test.each([
  ['<think>\nIs it 3?\n</think>\n\n4', '4'],
  ['\n<think></think>4', '4'],
  ['<think>It is 3', ''],
  ['4', '4'],
  ['I <think> so </think>', 'I <think> so </think>'],
])('%j ends in %j', (answer, final) => {
  expect(finalAnswer(answer)).toBe(final);
});

test('checks judge the final answer', async () => {
  await using check = await openCheck('exact');
  const row = { prompt: '', target: '4', extra: {} };
  expect((await check.check('<think>3?</think>\n4', row)).score).toBe(1);
  expect((await check.check('<think>4', row)).score).toBe(0);
});
