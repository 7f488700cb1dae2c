// From the scores of a rollout batch to advantages, and what of it a run remembers.
import { generalisedAdvantages } from '../../objectives/online/gae.ts';
import { greedyBaselineAdvantages } from '../../objectives/online/greedy-baseline.ts';
import {
  groupAdvantages,
  leaveOneOutAdvantages,
} from '../../objectives/online/group-advantages.ts';
import { batchBaselineAdvantages } from '../../objectives/online/reinforce.ts';
import type { Numbers, RolloutLayout } from '../../objectives/online/rollout.ts';
import { sequenceRewards, tokenRewards } from '../../objectives/online/token-rewards.ts';
import { whiten } from '../../objectives/online/whitening.ts';
import type { AdvantageSettings } from './online-settings.ts';
import { RunningBaseline, type RunningBaselineState } from './running-baseline.ts';

export interface RewardedRollouts {
  layout: RolloutLayout;
  /** [S] */
  scores: Numbers;
  /** [N], where KL is part of the reward. */
  kl: Numbers | null;
  klCoefficient: number;
  /** [N], of a critic. */
  values: Numbers | null;
  /**
   * Rewards of the prompts' greedy answers, KL in them where it is in the others; for the kind
   * `greedy`.
   */
  greedy?: ReadonlyMap<number, number>;
}

export interface EstimatedAdvantages {
  /** [N] */
  advantages: Float64Array;
  /** [N], what a critic is trained on. */
  returns: Float64Array | null;
  /**
   * Share of the prompts whose answers all have one reward, by which they teach nothing; null where
   * they are not compared.
   */
  zeroVariance: number | null;
}

export class AdvantageEstimator {
  readonly #settings: AdvantageSettings;
  readonly #whitens: boolean;
  readonly #baseline: RunningBaseline | null;

  constructor(settings: AdvantageSettings, { whitens = false } = {}) {
    this.#settings = settings;
    this.#whitens = whitens;
    this.#baseline = settings.kind === 'running' ? new RunningBaseline(settings.decay) : null;
  }

  /** A running baseline learns the batch. */
  estimate(rollouts: RewardedRollouts): EstimatedAdvantages {
    const { layout, scores, kl, klCoefficient, greedy } = rollouts;
    if (this.#settings.kind === 'gae') return this.#generalised(rollouts, this.#settings);
    const rewards = sequenceRewards(layout, scores, kl, klCoefficient);
    const { found, zeroVariance } = this.#compared(layout, rewards, greedy ?? new Map());
    const advantages = layout.spread(this.#whitens ? whiten(found) : found);
    return { advantages, returns: null, zeroVariance };
  }

  #compared(
    layout: RolloutLayout,
    rewards: Float64Array,
    greedy: ReadonlyMap<number, number>,
  ): { found: Float64Array; zeroVariance: number | null } {
    const settings = this.#settings;
    switch (settings.kind) {
      case 'batch':
        return { found: batchBaselineAdvantages(rewards), zeroVariance: null };
      case 'running':
        return { found: this.#baseline!.advantages(rewards), zeroVariance: null };
      case 'greedy':
        return { found: greedyBaselineAdvantages(layout, rewards, greedy), zeroVariance: null };
      default: {
        const { advantages, groups, zeroVariance } =
          settings.kind === 'group'
            ? groupAdvantages(layout, rewards, { scaling: settings.scaling })
            : leaveOneOutAdvantages(layout, rewards);
        return { found: advantages, zeroVariance: zeroVariance / groups };
      }
    }
  }

  #generalised(
    { layout, scores, kl, klCoefficient, values }: RewardedRollouts,
    { gamma, lambda, whitenRewards }: AdvantageSettings & { kind: 'gae' },
  ): EstimatedAdvantages {
    const raw = tokenRewards(layout, scores, kl, klCoefficient);
    const rewards = whitenRewards ? whiten(raw, { keepMean: true }) : raw;
    const found = generalisedAdvantages(layout, { rewards, values: values! }, { gamma, lambda });
    const advantages = this.#whitens ? whiten(found.advantages) : found.advantages;
    return { advantages, returns: found.returns, zeroVariance: null };
  }

  /** null where nothing is remembered. */
  state(): RunningBaselineState | null {
    return this.#baseline?.state() ?? null;
  }
  restore(state: RunningBaselineState | null): void {
    if (state !== null) this.#baseline?.restore(state);
  }
}
