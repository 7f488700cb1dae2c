// Divides scores by the standard deviation of all scores so far, so that a KL coefficient means the
// same for any reward (Engstrom et al. 2020, arXiv:2005.12729, section 3, who scale discounted
// returns; TRL's `use_score_scaling`). With `centre` it also subtracts their mean (TRL's
// `use_score_norm`). A batch enters the statistics before it is scaled, as in TRL.
import { expectFinite } from '../objectives/online/rollout.ts';
import { RunningMoments, type RunningMomentsState } from '../rewards/running-moments.ts';

export class RunningRewardScale {
  readonly #moments = new RunningMoments();
  readonly #centre: boolean;

  constructor({ centre = false }: { centre?: boolean } = {}) {
    this.#centre = centre;
  }

  /**
   * @param scores [S]
   * @returns [S]; unchanged while all scores so far have been the same
   * @throws RangeError for a score that is not finite; then nothing is changed
   */
  scale(scores: ArrayLike<number>): Float64Array {
    expectFinite(scores, 'the score of sequence');
    for (let sequence = 0; sequence < scores.length; sequence++) {
      this.#moments.add(scores[sequence]!);
    }
    const { mean, standardDeviation: deviation } = this.#moments;
    const shift = this.#centre ? mean : 0;
    // For equal numbers, Welford's sums may leave a rounding error, which is no deviation.
    const divisor = deviation > 1e-9 * Math.max(1, Math.abs(mean)) ? deviation : 1;
    return Float64Array.from(scores, (score) => (score - shift) / divisor);
  }

  state(): RunningMomentsState {
    return this.#moments.state();
  }
  restore(state: RunningMomentsState): void {
    this.#moments.restore(state);
  }
}
