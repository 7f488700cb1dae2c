import { expect, test } from 'vitest';
import { pollInterval } from './round-polling.ts';

const never = Number.NEGATIVE_INFINITY;

test.each([
  'finished',
  'interrupted',
  'failed',
  'not started',
  'elsewhere',
])('a round that is %s is not asked about again and again', (state) => {
  expect(pollInterval([{ state }], never, 0)).toBe(false);
});

test.each(['running', 'starting'])('one that is %s is', (state) => {
  expect(pollInterval([{ state: 'finished' }, { state }], never, 0)).toBe(3000);
});

test('so is one that was just resumed: its run does not say so yet', () => {
  const rounds = [{ state: 'interrupted' }];
  expect(pollInterval(rounds, 1000, 60_999)).toBe(3000);
  expect(pollInterval(rounds, 1000, 61_000)).toBe(false);
});
