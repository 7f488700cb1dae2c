import { expect, test } from 'vitest';
import { openCheck } from './open-check.ts';

test('checks judge the final answer', async () => {
  await using check = await openCheck('exact');
  const row = { prompt: '', target: '4', extra: {} };
  expect((await check.check('<think>3?</think>\n4', row)).score).toBe(1);
  expect((await check.check('<think>4', row)).score).toBe(0);
});
