import { expect, test } from 'vitest';
import {
  formatCount,
  formatDuration,
  PlainPace,
  plainProgressLine,
  progressLine,
} from './progress.ts';
import { RateMeter } from './rate-meter.ts';

const progress = {
  step: 30,
  totalSteps: 120,
  loss: 0.5432101,
  margin: 0.8,
  accuracy: 0.875,
  tokensPerSecond: 1234,
  secondsLeft: 185,
};

test('a wide terminal shows a bar and all numbers', () => {
  expect(progressLine(progress, 120)).toBe(
    `${'█'.repeat(7)}▌${'░'.repeat(22)}  25%  30/120  loss 0.5432  margin 0.800  accuracy 88%  3m 05s left  1.2k tokens/s`,
  );
});

test('the line is never longer than the terminal', () => {
  for (let columns = 1; columns < 130; columns++) {
    expect(progressLine(progress, columns).length).toBeLessThanOrEqual(columns);
  }
});

test('a narrow terminal keeps the share, the step and the loss', () => {
  expect(progressLine(progress, 30)).toBe(' 25%  30/120  loss 0.5432');
});

test('the end is a full bar, and steps beyond it do not exceed it', () => {
  expect(progressLine({ step: 120, totalSteps: 120 }, 40)).toMatch(/^█+ 100% {2}120\/120$/);
  expect(progressLine({ step: 121, totalSteps: 120 }, 40)).toContain('100%');
});

test('plain line', () => {
  expect(plainProgressLine({ ...progress, margin: undefined, secondsLeft: null })).toBe(
    'step 30/120  loss 0.5432  accuracy 88%  1.2k tokens/s',
  );
});

test('the share of the peak comes last', () => {
  expect(
    plainProgressLine({ step: 1, totalSteps: 2, tokensPerSecond: 90, utilisation: 0.414 }),
  ).toBe('step 1/2  90 tokens/s  mfu 41%');
});

test('durations and counts', () => {
  expect([0, 59.6, 185, 7800, 273_600, Number.POSITIVE_INFINITY].map(formatDuration)).toEqual([
    '0s',
    '1m 00s',
    '3m 05s',
    '2h 10m',
    '3d 4h',
    '?',
  ]);
  expect([7, 950, 999.6, 1234, 9960, 34_400, 5.6e6].map(formatCount)).toEqual([
    '7',
    '950',
    '1.0k',
    '1.2k',
    '10k',
    '34k',
    '5.6M',
  ]);
});

test('plain lines come at the first step, after the seconds and after the steps', () => {
  const pace = new PlainPace({ seconds: 10, steps: 5 });
  const due = [
    [1, 0],
    [2, 1000],
    [3, 10_000],
    [4, 11_000],
    [8, 12_000],
  ].map(([step, now]) => pace.due(step!, now!));
  expect(due).toEqual([true, false, true, false, true]);
});

test('the rate follows a change by half within a half-life, and pauses do not count', () => {
  let now = 0;
  const meter = new RateMeter(10, () => now);
  expect([meter.rate, meter.secondsFor(5)]).toEqual([null, null]);
  for (let second = 0; second < 200; second++) {
    now += 1000;
    meter.add(100);
  }
  expect(meter.rate).toBeCloseTo(100, 10);
  expect(meter.secondsFor(1000)).toBeCloseTo(10, 10);
  for (let second = 0; second < 10; second++) {
    now += 1000;
    meter.add(300);
  }
  expect(meter.rate).toBeCloseTo(200, 3);
  now += 1e6;
  meter.resume();
  expect(meter.rate).toBeCloseTo(200, 3);
  now += 1000;
  meter.add(200);
  expect(meter.rate).toBeCloseTo(200, 3);
});
