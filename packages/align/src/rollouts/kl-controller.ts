// The coefficient of the KL penalty over a run.
// Adaptive (Ziegler et al. 2019, arXiv:1909.08593, section 2.2):
//   e = clip(KL/target - 1, -.2, .2),  b <- b (1 + K e)
// with K = .1 in the paper's text; in its code and TRL's K is completions/horizon, and so it is
// here. KL is that of whole completions in nats (the sum over tokens), not the mean of a token.

export interface KlControllerState {
  coefficient: number;
}

/** Gives the coefficient, and learns the KL of each batch. */
export interface KlController {
  readonly coefficient: number;
  /**
   * @param kl the batch's mean KL of a completion, in nats
   * @param completions how many completions the batch has
   */
  observe(kl: number, completions: number): void;
  state(): KlControllerState;
  /** @throws RangeError for a state that no run can have left */
  restore(state: KlControllerState): void;
}

const sound = (coefficient: number): number => {
  if (!(Number.isFinite(coefficient) && coefficient >= 0)) {
    throw new RangeError(`a KL coefficient is 0 or more, got ${coefficient}`);
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
  /** The KL of a completion that is aimed at, in nats. Ziegler et al.: 6 */
  target: number;
  /** Completions over which the coefficient moves by the whole error. Ziegler et al.: 10,000 */
  horizon: number;
}

export class AdaptiveKlController implements KlController {
  #coefficient: number;
  readonly #target: number;
  readonly #horizon: number;

  /**
   * @throws RangeError for a start of 0, from which no factor leads away, or a target or horizon
   *   not above 0
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
  /** @throws RangeError for a KL that is not finite: the coefficient would be lost for good */
  observe(kl: number, completions: number): void {
    if (!Number.isFinite(kl)) throw new RangeError(`the KL of a batch is ${kl}`);
    const error = Math.min(Math.max(kl / this.#target - 1, -0.2), 0.2);
    // A batch larger than five horizons would turn the coefficient's sign.
    this.#coefficient *= Math.max(1 + (error * completions) / this.#horizon, 0.1);
  }
  state(): KlControllerState {
    return { coefficient: this.#coefficient };
  }
  restore({ coefficient }: KlControllerState): void {
    this.#coefficient = sound(coefficient);
  }
}
