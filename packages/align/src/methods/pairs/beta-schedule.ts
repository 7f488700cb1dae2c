// Beta over a run: for example large at first, to stay near the reference, and small later.

export const betaSchedules = ['constant', 'linear', 'cosine'] as const;
export type BetaSchedule = (typeof betaSchedules)[number];

export interface BetaCourse {
  schedule: BetaSchedule;
  /** Of the first step. */
  first: number;
  /** Of the last one. */
  last: number;
  totalSteps: number;
}

/** Beta of an optimizer step, counted from 0; later ones have that of the last. */
export function betaAt({ schedule, first, last, totalSteps }: BetaCourse, step: number): number {
  if (schedule === 'constant') return first;
  const done = totalSteps < 2 ? 1 : Math.min(1, step / (totalSteps - 1));
  if (done === 1) return last;
  const share = schedule === 'linear' ? done : (1 - Math.cos(Math.PI * done)) / 2;
  return first + (last - first) * share;
}
