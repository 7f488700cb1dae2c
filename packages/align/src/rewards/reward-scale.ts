import { z } from 'zod';
import { RunningMoments, type RunningMomentsState } from './running-moments.ts';

export const scaleSchema = z.union([
  z.enum(['none', 'running']),
  z.strictObject({ mean: z.number().default(0), std: z.number().positive().default(1) }),
]);

export type ScaleSpec = z.output<typeof scaleSchema>;

/**
 * Scales a reward to mean 0 and deviation 1: by given numbers, or by those of all scores so far.
 */
export class RewardScale {
  readonly #spec: ScaleSpec;
  readonly #moments = new RunningMoments();

  constructor(spec: ScaleSpec) {
    this.#spec = spec;
  }

  /** Adds a score to the running statistics. */
  add(score: number): void {
    if (this.#spec === 'running') this.#moments.add(score);
  }

  /** Scores stay unchanged until two different ones define a deviation. */
  apply(score: number): number {
    if (this.#spec === 'none') return score;
    if (this.#spec !== 'running') return (score - this.#spec.mean) / this.#spec.std;
    const { mean, standardDeviation } = this.#moments;
    return standardDeviation > 0 ? (score - mean) / standardDeviation : score;
  }

  /** The exact sums behind the statistics; null if they never change. */
  state(): RunningMomentsState | null {
    return this.#spec === 'running' ? this.#moments.state() : null;
  }

  /** @throws RangeError for an impossible state; nothing is changed then */
  restore(state: RunningMomentsState): void {
    this.#moments.restore(state);
  }
}
