import { describe, expect, test } from 'vitest';
import { type ScheduleName, scheduleFactor } from './schedule.ts';

const along = (
  name: ScheduleName,
  warmupSteps: number,
  totalSteps: number,
  steps: number[],
): number[] => steps.map((step) => scheduleFactor(name, step, { warmupSteps, totalSteps }));

const names: ScheduleName[] = ['constant', 'linear', 'cosine'];

describe('schedules', () => {
  test('warm-up rises linearly from 0', () => {
    for (const name of names)
      expect(along(name, 4, 10, [0, 1, 2, 3, 4])).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });

  test('without warm-up, the first step has the peak rate', () => {
    for (const name of names) expect(scheduleFactor(name, 0, { totalSteps: 10 })).toBe(1);
  });

  test('after it, in closed form, to the end and beyond', () => {
    expect(along('constant', 2, 10, [2, 5, 10, 11, 1000])).toEqual([1, 1, 1, 1, 1]);
    expect(along('linear', 2, 10, [2, 4, 6, 9, 10, 11, 1000])).toEqual([
      1, 0.75, 0.5, 0.125, 0, 0, 0,
    ]);
    const cosine = along('cosine', 2, 10, [2, 4, 6, 8, 10, 11, 1000]);
    const expected = [1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2, 0, 0, 0];
    cosine.forEach((factor, i) => {
      expect(factor).toBeCloseTo(expected[i]!, 15);
    });
  });

  test('warm-up as long as the run', () => {
    for (const name of names) expect(along(name, 5, 5, [0, 4])).toEqual([0, 0.8]);
    expect(along('linear', 5, 5, [5, 6])).toEqual([0, 0]);
    expect(along('cosine', 5, 5, [5])).toEqual([1]);
    expect(along('constant', 5, 5, [5, 6])).toEqual([1, 1]);
  });

  test('a run of one step and of none', () => {
    expect(along('linear', 0, 1, [0, 1])).toEqual([1, 0]);
    expect(along('cosine', 0, 1, [0, 1])).toEqual([1, 0]);
    expect(along('linear', 0, 0, [0])).toEqual([0]);
  });
});
