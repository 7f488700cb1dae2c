import { z } from 'zod';

export const constraintSchema = z
  .strictObject({
    /** Name of the reward whose mean is bounded. */
    reward: z.string().min(1),
    at_least: z.number().optional(),
    at_most: z.number().optional(),
    /** Change of the multiplier per unit by which the mean misses the bound. */
    learning_rate: z.number().positive().default(0.05),
    /** The initial multiplier. */
    initial: z.number().nonnegative().default(0),
    /** The largest allowed multiplier. */
    maximum: z.number().positive().nullable().default(null),
  })
  .refine(({ at_least, at_most }) => (at_least === undefined) !== (at_most === undefined), {
    path: ['at_least'],
    message: 'give either at_least or at_most',
  });

/**
 * A bound on a reward's mean, enforced by a Lagrange multiplier: the policy maximises r + lambda (g
 * - bound). lambda rises while the mean of g misses the bound, and falls, to no less than 0, while
 * the mean is beyond it (dual ascent; Altman 1999, chapter 3). At convergence the bound is met, and
 * lambda is the price of a unit of it in reward.
 */
export class RewardConstraint {
  readonly reward: string;
  readonly #sign: 1 | -1;
  readonly #bound: number;
  readonly #rate: number;
  readonly #maximum: number;
  #multiplier: number;

  constructor(spec: z.input<typeof constraintSchema>) {
    const { reward, at_least, at_most, learning_rate, initial, maximum } =
      constraintSchema.parse(spec);
    this.reward = reward;
    this.#sign = at_least === undefined ? -1 : 1;
    this.#bound = at_least ?? at_most!;
    this.#rate = learning_rate;
    this.#maximum = maximum ?? Number.POSITIVE_INFINITY;
    this.#multiplier = initial;
  }

  get multiplier(): number {
    return this.#multiplier;
  }

  /** The constraint's contribution to the reward of an answer whose score it bounds. */
  term(score: number): number {
    return this.#multiplier * this.slack(score);
  }

  /** How far a score is within the bound; negative if it misses the bound. */
  slack(score: number): number {
    return this.#sign * (score - this.#bound);
  }

  /** lambda <- min(maximum, max(0, lambda - rate * slack of the mean)) */
  ascend(mean: number): void {
    const next = this.#multiplier - this.#rate * this.slack(mean);
    this.#multiplier = Math.min(Math.max(next, 0), this.#maximum);
  }

  /** @throws RangeError for an invalid multiplier */
  restore(multiplier: number): void {
    if (!(Number.isFinite(multiplier) && multiplier >= 0)) {
      throw new RangeError(`${multiplier} is not a valid multiplier for ${this.reward}`);
    }
    this.#multiplier = multiplier;
  }
}
