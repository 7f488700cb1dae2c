import { z } from 'zod';
import { RunningMoments, type RunningMomentsState } from './running-moments.ts';

export const scaleSchema = z.union([
  z.enum(['none', 'running']),
  z.strictObject({ mean: z.number().default(0), std: z.number().positive().default(1) }),
]);

export type ScaleSpec = z.output<typeof scaleSchema>;

/**
 * Brings a reward to mean 0 and deviation 1: by given numbers, or by those of all scores so far.
 */
export class RewardScale {
  readonly #spec: ScaleSpec;
  readonly #moments = new RunningMoments();

  constructor(spec: ScaleSpec) {
    this.#spec = spec;
  }

  /** Takes a score into the running statistics. */
  add(score: number): void {
    if (this.#spec === 'running') this.#moments.add(score);
  }

  /** Scores pass as they are until there are two different ones to tell a deviation from. */
  apply(score: number): number {
    if (this.#spec === 'none') return score;
    if (this.#spec !== 'running') return (score - this.#spec.mean) / this.#spec.std;
    const { mean, standardDeviation } = this.#moments;
    return standardDeviation > 0 ? (score - mean) / standardDeviation : score;
  }

  /** The exact sums behind the statistics; null where nothing changes. */
  state(): RunningMomentsState | null {
    return this.#spec === 'running' ? this.#moments.state() : null;
  }

  /** @throws RangeError for a state that no stream can have left; then nothing is changed */
  restore(state: RunningMomentsState): void {
    this.#moments.restore(state);
  }
}
