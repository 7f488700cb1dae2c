import { expect, test } from 'vitest';
import type { RunSummary } from '../use-runs.ts';
import { inOrder, matches } from './order.ts';

const run = (id: string, updated: string | null, more: Partial<RunSummary> = {}): RunSummary => ({
  ...{ id, updated, kind: 'training', verb: 'dpo', state: 'finished', message: null },
  ...{ model: 'Small', step: 1, total: 1, secondsLeft: null, started: null, git: null },
  ...{ number: null, warnings: 0, serious: 0, parent: null, ...more },
});

const ids = (runs: readonly RunSummary[]): string[] => runs.map(({ id }) => id);

test('the last written first, and stages behind their recipe in the order of their start', () => {
  const runs = [
    run('a', '2026-01-02'),
    run('r', '2026-01-01'),
    run('r/first', '2026-01-01', { parent: 'r', started: '2026-01-01' }),
    run('r/again', '2026-01-03', { parent: 'r', started: '2026-01-02' }),
    run('z', null),
  ];
  expect(ids(inOrder(runs, 'updated'))).toEqual(['r', 'r/first', 'r/again', 'a', 'z']);
  expect(ids(inOrder(runs, 'name'))).toEqual(['a', 'r', 'r/first', 'r/again', 'z']);
  // A stage whose recipe is not listed stands for itself.
  expect(ids(inOrder(runs.slice(2), 'updated'))).toEqual(['r/again', 'r/first', 'z']);
});

test('every word must be somewhere, and state and kind as asked', () => {
  const one = run('sweep/beta', null);
  const any = { text: '', state: null, kind: null };
  expect(matches(one, any)).toBe(true);
  expect(matches(one, { ...any, text: 'SMALL beta' })).toBe(true);
  expect(matches(one, { ...any, text: 'beta large' })).toBe(false);
  expect(matches(one, { ...any, state: 'running' })).toBe(false);
  expect(matches(one, { ...any, kind: 'training' })).toBe(true);
});
