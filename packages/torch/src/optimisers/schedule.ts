/** The course of a learning rate after its rise. */
export type ScheduleName = 'constant' | 'linear' | 'cosine';

/** Length and shape of a schedule. */
export interface ScheduleOptions {
  /** Number of steps in which the rate rises from 0 to its peak. */
  warmupSteps?: number;
  /** Number of steps in the whole run. */
  totalSteps: number;
}

/**
 * Factor of the peak learning rate at a step (counted from 0), as in transformers' schedulers:
 * linear warm-up, then constant, or decay to 0 linearly or along half a cosine. After the last step
 * it stays at its final value.
 */
export function scheduleFactor(
  name: ScheduleName,
  step: number,
  { warmupSteps = 0, totalSteps }: ScheduleOptions,
): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  if (name === 'constant') return 1;
  const length = Math.max(1, totalSteps - warmupSteps);
  if (name === 'linear') return Math.max(0, (totalSteps - step) / length);
  const progress = Math.min(1, (step - warmupSteps) / length);
  return 0.5 * (1 + Math.cos(Math.PI * progress));
}
