import type { ProfileEvent } from '@keel/torch';
import { expect, it } from 'vitest';
import { parseProfileSteps } from '../config/profile-steps.ts';
import { summariseProfile } from './profile-summary.ts';
import { profileTable } from './profile-table.ts';

const second = 1e9;
const event = (
  kind: ProfileEvent['kind'],
  name: string,
  [start, end]: [number, number],
  own: Partial<ProfileEvent> = {},
): ProfileEvent => ({
  kind,
  name,
  inputs: '',
  start: start * second,
  duration: (end - start) * second,
  thread: 7,
  bytes: 0,
  ...own,
});

const events = [
  event('range', 'step 2', [0, 10]),
  event('range', 'forward', [1, 5]),
  event('operator', 'keel::linear', [1, 4]),
  event('operator', 'aten::mm', [1, 3]),
  event('memory', 'cpu', [2, 2], { bytes: 300 }),
  event('memory', 'cpu', [3, 3], { bytes: -100 }),
  event('range', 'log-probs', [4, 5]),
  event('operator', 'aten::mm', [4, 4.5]),
  event('range', 'backward', [5, 9]),
  // Autograd's own thread, as on an accelerator.
  event('operator', 'aten::mm', [5, 8], { thread: 8 }),
  event('memory', 'cpu', [6, 6], { bytes: 250 }),
];

it('time by phase, with inner phases as parts of outer ones, and time outside of phases', () => {
  const { phases, seconds } = summariseProfile(events, { steps: [2], missedOperators: 0 });
  expect(seconds).toBe(10);
  expect(phases).toEqual([
    { name: 'forward', calls: 1, seconds: 4, share: 0.4 },
    { name: 'forward/log-probs', calls: 1, seconds: 1, share: 0.1 },
    { name: 'backward', calls: 1, seconds: 4, share: 0.4 },
    { name: 'other', calls: 0, seconds: 2, share: 0.2 },
  ]);
});

it('time by operator, without the operators that it calls', () => {
  const { operators, peakBytes } = summariseProfile(events, { steps: [2], missedOperators: 0 });
  expect(operators).toEqual([
    { name: 'aten::mm', calls: 3, selfSeconds: 5.5, seconds: 5.5, share: 5.5 / 6.5 },
    { name: 'keel::linear', calls: 1, selfSeconds: 1, seconds: 3, share: 1 / 6.5 },
  ]);
  expect(peakBytes).toEqual({ cpu: 450 });
});

it('an empty profile', () => {
  const summary = summariseProfile([], { steps: [], missedOperators: 3000 });
  expect(summary).toMatchObject({ seconds: 0, operators: [], peakBytes: {} });
  const table = profileTable({ path: 'p.json', summaryPath: 's.json', summary, leftOut: 0 });
  expect(table).toContain('the last 3.0k operators were not recorded');
  expect(table).toContain('Profile of no complete step: 0.00 s');
});

it('a table for people', () => {
  const summary = summariseProfile(events, { steps: [2], missedOperators: 0 });
  const table = profileTable({ path: 'p.json', summaryPath: 's.json', summary, leftOut: 1200 });
  expect(table.split('\n')).toEqual([
    'Profile of step 2: 10.00 s',
    'phase                     share    s/step',
    'forward                   40.0%     4.000',
    '  log-probs               10.0%     1.000',
    'backward                  40.0%     4.000',
    'other                     20.0%     2.000',
    'operator, by self time    share    s/step    calls/step',
    'aten::mm                  84.6%     5.500             3',
    'keel::linear              15.4%     1.000             1',
    'peak memory 450B on cpu above the start',
    'trace in p.json (without the 1.2k shortest operators): open it in chrome://tracing or https://ui.perfetto.dev',
  ]);
});

it('parses the steps to profile', () => {
  expect(parseProfileSteps('2-4')).toEqual({ first: 2, last: 4 });
  expect(parseProfileSteps('3')).toEqual({ first: 3, last: 3 });
  for (const wrong of ['0', '4-2', '2-', '-3', 'x', '', '1.5']) {
    expect(parseProfileSteps(wrong)).toBeNull();
  }
});
