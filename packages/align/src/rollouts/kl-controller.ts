// The coefficient of the KL penalty over a run.
// Adaptive (Ziegler et al. 2019, arXiv:1909.08593, section 2.2):
//   e = clip(KL/target - 1, -.2, .2),  b <- b (1 + K e)
// with K = .1 in the paper's text. Here, as in its code and in TRL's, K is completions/horizon.
// KL is per completion in nats (the sum over its tokens), not the mean per token.

export interface KlControllerState {
  coefficient: number;
}

/** Gives the coefficient, and is updated with the KL of each batch. */
export interface KlController {
  readonly coefficient: number;
  /**
   * @param kl the batch's mean KL per completion, in nats
   * @param completions number of completions in the batch
   */
  observe(kl: number, completions: number): void;
  state(): KlControllerState;
  /** @throws RangeError for a state that no run can have saved */
  restore(state: KlControllerState): void;
}

const sound = (coefficient: number): number => {
  if (!(Number.isFinite(coefficient) && coefficient >= 0)) {
    throw new RangeError(`a KL coefficient must be 0 or more, got ${coefficient}`);
  }
  return coefficient;
};

export class FixedKlController implements KlController {
  #coefficient: number;
  constructor(coefficient: number) {
    this.#coefficient = sound(coefficient);
  }
  get coefficient(): number {
    return this.#coefficient;
  }
  observe(): void {}
  state(): KlControllerState {
    return { coefficient: this.#coefficient };
  }
  restore({ coefficient }: KlControllerState): void {
    this.#coefficient = sound(coefficient);
  }
}

export interface AdaptiveKlOptions {
  /** Target KL per completion, in nats. Ziegler et al.: 6 */
  target: number;
  /** Completions over which the coefficient corrects the whole error. Ziegler et al.: 10,000 */
  horizon: number;
}

export class AdaptiveKlController implements KlController {
  #coefficient: number;
  readonly #target: number;
  readonly #horizon: number;

  /**
   * @throws RangeError for a start of 0, which no factor changes, or a target or horizon not above
   *   0
   */
  constructor(coefficient: number, { target, horizon }: AdaptiveKlOptions) {
    if (!(coefficient > 0)) {
      throw new RangeError(`an adaptive KL coefficient must start above 0, got ${coefficient}`);
    }
    if (!(target > 0)) throw new RangeError(`the KL target must be above 0, got ${target}`);
    if (!(horizon > 0)) throw new RangeError(`the KL horizon must be above 0, got ${horizon}`);
    this.#coefficient = sound(coefficient);
    this.#target = target;
    this.#horizon = horizon;
  }
  get coefficient(): number {
    return this.#coefficient;
  }
  /** @throws RangeError for a KL that is not finite: the coefficient would never recover */
  observe(kl: number, completions: number): void {
    if (!Number.isFinite(kl)) throw new RangeError(`the KL of a batch must be finite, got ${kl}`);
    const error = Math.min(Math.max(kl / this.#target - 1, -0.2), 0.2);
    // A batch larger than five horizons would flip the coefficient's sign.
    this.#coefficient *= Math.max(1 + (error * completions) / this.#horizon, 0.1);
  }
  state(): KlControllerState {
    return { coefficient: this.#coefficient };
  }
  restore({ coefficient }: KlControllerState): void {
    this.#coefficient = sound(coefficient);
  }
}
