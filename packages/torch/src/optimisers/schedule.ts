export type ScheduleName = 'constant' | 'linear' | 'cosine';

export interface ScheduleOptions {
  /** Steps in which the rate rises from 0 to its peak. */
  warmupSteps?: number;
  /** Steps of the whole run. */
  totalSteps: number;
}

/**
 * Factor of the peak learning rate at a step (counted from 0), as transformers' schedulers have it: linear warm-up,
 * then constant, or down to 0 along a line or half a cosine.
 */
export function scheduleFactor(
  name: ScheduleName,
  step: number,
  { warmupSteps = 0, totalSteps }: ScheduleOptions,
): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  if (name === 'constant') return 1;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return name === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}
