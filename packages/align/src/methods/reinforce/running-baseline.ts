// A moving mean of the rewards as REINFORCE's baseline (Williams 1992, section 4; Sutton & Barto
// 2018, section 2.8). A batch is compared with earlier batches only, so that the baseline does not
// depend on it and the gradient stays unbiased. Each completion of the first batch is compared with
// the mean of the others.
import { expectFinite } from '../../objectives/online/rollout.ts';

export interface RunningBaselineState {
  /** null before the first batch */
  mean: number | null;
}

export class RunningBaseline {
  #mean: number | null = null;
  readonly #decay: number;

  /** @param decay share of the old mean that remains after a batch, in [0, 1) */
  constructor(decay = 0.9) {
    if (!(decay >= 0 && decay < 1))
      throw new RangeError(`the decay must be in [0, 1), got ${decay}`);
    this.#decay = decay;
  }
  get mean(): number | null {
    return this.#mean;
  }

  /**
   * R - baseline; then adds the batch to the baseline.
   * @param rewards [S]
   * @throws RangeError for a first batch of one completion, or a reward that is not finite
   */
  advantages(rewards: ArrayLike<number>): Float64Array {
    expectFinite(rewards, 'the reward of sequence');
    const { length } = rewards;
    const sum = Array.from(rewards).reduce((total, one) => total + one, 0);
    const before = this.#mean;
    if (before === null && length < 2) {
      throw new RangeError('the first batch of a running baseline needs at least 2 completions');
    }
    const found = Float64Array.from(rewards, (one) => one - (before ?? (sum - one) / (length - 1)));
    this.#mean =
      before === null ? sum / length : this.#decay * before + (1 - this.#decay) * (sum / length);
    return found;
  }

  state(): RunningBaselineState {
    return { mean: this.#mean };
  }
  /** @throws RangeError for a mean that is not finite */
  restore({ mean }: RunningBaselineState): void {
    if (mean !== null && !Number.isFinite(mean)) {
      throw new RangeError(`the saved baseline must be finite, got ${mean}`);
    }
    this.#mean = mean;
  }
}
