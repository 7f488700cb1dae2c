import type { Schedule } from '../../training/other-plan.ts';
import { totalSteps } from '../../training/run-training.ts';
import { type BetaCourse, betaAt } from './beta-schedule.ts';
import type { DpoOptions } from './dpo-options.ts';

/**
 * The beta of each optimizer step of a run on `usable` rows; null where it is constant.
 */
export function courseOf(
  options: DpoOptions,
  first: number,
  usable: number,
): ((step: number) => number) | null {
  const { betaSchedule: schedule, betaFinal } = options;
  if (schedule === 'constant') return null;
  const course: BetaCourse = {
    ...{ schedule, first, last: betaFinal ?? first },
    totalSteps: totalSteps(options, usable),
  };
  return (step) => betaAt(course, step);
}

/** Beta as a number that follows the planned steps; empty where it is constant. */
export function betaSchedulesOf(
  { betaSchedule: schedule, betaFinal }: Pick<DpoOptions, 'betaSchedule' | 'betaFinal'>,
  first: number,
): Schedule[] {
  if (schedule === 'constant') return [];
  const course = { schedule, first, last: betaFinal ?? first };
  const at = (step: number, totalSteps: number): number => betaAt({ ...course, totalSteps }, step);
  return [{ name: 'beta', at }];
}
