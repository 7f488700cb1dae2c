// The KL to the reference in an online run: its estimator, where it applies, and its coefficient,
// which may follow a target. Under a constraint, it is the KL of the policy to the reference when
// both are renormalised over the tokens that the constraint allows, at the states that the answers
// visited: not that of the two models without it.
import { fromTypedArray, tidy } from '@keel/torch';
import { type KlEstimator, klPerToken } from '../objectives/online/kl-estimators.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { Metrics } from '../training/training-task.ts';
import {
  AdaptiveKlController,
  type AdaptiveKlOptions,
  FixedKlController,
  type KlController,
  type KlControllerState,
} from './kl-controller.ts';
import type { Rollouts } from './rollouts.ts';

export interface KlPenaltyOptions {
  /**
   * `reward`: subtracted from rewards. `loss`: a term of the loss. `none`: only measured, since the
   * objective itself compares with the reference.
   */
  place: 'reward' | 'loss' | 'none';
  estimator: KlEstimator;
  /** As a term of the loss it is multiplied by the importance ratio. */
  corrected: boolean;
  coefficient: number;
  /** null: the coefficient is constant. */
  adaptive: AdaptiveKlOptions | null;
}

export class KlPenalty {
  readonly #options: KlPenaltyOptions;
  readonly #controller: KlController;

  constructor(options: KlPenaltyOptions) {
    const { coefficient, adaptive } = options;
    this.#options = options;
    this.#controller =
      adaptive === null
        ? new FixedKlController(coefficient)
        : new AdaptiveKlController(coefficient, adaptive);
  }

  /** KL that is measured, and has no effect. */
  static measured(): KlPenalty {
    const unused = { estimator: 'k1', corrected: false, coefficient: 0, adaptive: null } as const;
    return new KlPenalty({ place: 'none', ...unused });
  }

  get coefficient(): number {
    return this.#controller.coefficient;
  }

  /** [N] KL of each token if it is part of the reward; otherwise null. */
  inReward(rollouts: Rollouts): number[] | null {
    return this.#options.place === 'reward' ? tokenKl(this.#options.estimator, rollouts) : null;
  }

  /** The term of the loss; null if there is none. */
  inLoss(): Pick<KlPenaltyOptions, 'estimator' | 'corrected' | 'coefficient'> | null {
    const { place, estimator, corrected } = this.#options;
    return place === 'loss' ? { estimator, corrected, coefficient: this.coefficient } : null;
  }

  /** The batch's mean over tokens by the k3 estimator, which is never negative. */
  metrics(rollouts: Rollouts): Metrics {
    return { kl: moments(tokenKl('k3', rollouts)).mean };
  }

  /** @param kl [S] of the batch's answers, in nats */
  observe(kl: Float64Array): void {
    this.#controller.observe(moments(kl).mean, kl.length);
  }

  state(): KlControllerState {
    return this.#controller.state();
  }
  restore(state: KlControllerState): void {
    this.#controller.restore(state);
  }
}

const tokenKl = (estimator: KlEstimator, { logprobs: { old, reference } }: Rollouts): number[] =>
  tidy(() => klPerToken(estimator, fromTypedArray(old!), fromTypedArray(reference!)).toArray());
