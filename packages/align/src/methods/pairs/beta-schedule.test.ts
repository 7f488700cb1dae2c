import { expect, it } from 'vitest';
import { type BetaSchedule, betaAt } from './beta-schedule.ts';

const course = (schedule: BetaSchedule) => ({ schedule, first: 0.5, last: 0.1, totalSteps: 5 });
const betas = (schedule: BetaSchedule): number[] =>
  [0, 1, 2, 3, 4, 9].map((step) => Number(betaAt(course(schedule), step).toFixed(6)));

it('is constant, linear, or slow at both ends, and stays at its final beta', () => {
  expect(betas('constant')).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(betas('linear')).toEqual([0.5, 0.4, 0.3, 0.2, 0.1, 0.1]);
  expect(betas('cosine')).toEqual([0.5, 0.441421, 0.3, 0.158579, 0.1, 0.1]);
});

it('has its final beta in a single step', () => {
  expect(betaAt({ ...course('linear'), totalSteps: 1 }, 0)).toBe(0.1);
});
