// What an online run does, said without the names of verbs.

import { completeOptions } from '../../objectives/mixture.ts';
import type { ClipOptions } from '../../objectives/online/clipped-surrogate.ts';
import type { AdvantageScaling } from '../../objectives/online/group-advantages.ts';
import type { RatioLevel } from '../../objectives/online/importance-ratio.ts';
import type { KeepRule } from '../../objectives/online/kept-answers.ts';
import type { KlEstimator } from '../../objectives/online/kl-estimators.ts';
import type { LossReduction } from '../../objectives/online/loss-reductions.ts';
import type { ScoreShaping } from '../../objectives/online/token-rewards.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';
import { pairedObjective } from '../../objectives/registry.ts';
import { type D2poOptions, discriminatorWarmup } from '../d2po/d2po-options.ts';
import type { GrpoOptions } from '../grpo/grpo-options.ts';
import type { OnlineDpoOptions } from '../online-dpo/online-dpo-options.ts';
import type { PpoOptions } from '../ppo/ppo-options.ts';
import type { RaftOptions } from '../raft/raft-options.ts';
import type { ReinforceOptions } from '../reinforce/reinforce-options.ts';
import type { RemaxOptions } from '../remax/remax-options.ts';
import type { RlooOptions } from '../rloo/rloo-options.ts';
import type { KlPlace } from './online-options.ts';

/** Options of any online verb. */
export type OnlineOptions =
  | RlooOptions
  | GrpoOptions
  | ReinforceOptions
  | RemaxOptions
  | PpoOptions
  | OnlineDpoOptions
  | D2poOptions
  | RaftOptions;

export interface SamplingSettings {
  samplesPerPrompt: number;
  maxNewTokens: number;
  /** No end token is drawn before; 0 unless told. */
  minNewTokens?: number;
  temperature: number;
  topK: number | null;
  topP: number;
  /** Samples in flight. */
  batchSize: number;
}

/** What a completion is compared with. */
export type AdvantageSettings =
  | { kind: 'group'; scaling: AdvantageScaling }
  | { kind: 'leave_one_out' }
  | { kind: 'batch' }
  | { kind: 'running'; decay: number }
  | { kind: 'greedy' }
  | { kind: 'gae'; gamma: number; lambda: number; whitenRewards: boolean };

export interface KlSettings {
  /** `none`: it is measured, and the objective has the reference in it. */
  place: KlPlace | 'none';
  estimator: KlEstimator;
  /** As a loss it is multiplied by the importance ratio. */
  corrected: boolean;
  coefficient: number;
  /** null: the coefficient stays. */
  adaptive: { target: number; horizon: number } | null;
}

/** The loss of a token, and how those of a step become one. */
export interface PolicyLossSettings {
  /** null: -A log p, without a ratio. */
  ratio: { level: RatioLevel; clip: ClipOptions } | null;
  reduction: LossReduction;
  maxTokens: number;
  /** Weight of the entropy bonus. */
  entropy: number;
}

export interface CriticSettings {
  /** A head on the policy's hidden states; else an adapter of its own. */
  shared: boolean;
  coefficient: number;
  clip: number | null;
  /** Rollout batches at first in which only the critic learns. */
  warmup: number;
}

export interface PairSettings {
  objective: PairedObjective;
  options: PairedOptions;
  /** Pairs whose rewards are less apart are left out; 0: none. */
  minGap: number;
}

/** Who labels pairs where the reward does not label all (D2PO). */
export interface LabelSettings {
  /** Share of the prompts of which the reward compares two answers. */
  goldShare: number;
  /** Pairs of the run; null: no limit. */
  goldBudget: number | null;
  goldChoice: 'random' | 'uncertain';
  /** Of gold pairs that train the policy, in rewards. */
  minGap: number;
  /** Of silver pairs, in log-odds. */
  minSilverGap: number;
  /** Gold pairs that the discriminator learns before its labels count. */
  warmup: number;
}

export interface OnlineSettings {
  sampling: SamplingSettings;
  /** Of the log-probabilities that train, and of the KL. */
  trainingTemperature: number;
  shaping: ScoreShaping & { running: boolean };
  /** null: no reference. */
  kl: KlSettings | null;
  advantage: AdvantageSettings;
  whitenAdvantages: boolean;
  loss: PolicyLossSettings;
  /** Epochs over a rollout batch, each of so many optimiser steps. */
  epochs: number;
  minibatches: number;
  /** A drift beyond it ends the work on a rollout batch; null: never. */
  targetKl: number | null;
  /** null: none. */
  critic: CriticSettings | null;
  /**
   * An objective on the best and the worst answer to each prompt, in place of advantages and
   * `loss`; null: none.
   */
  pairs: PairSettings | null;
  /** A discriminator labels most pairs in place of the reward; null: the reward labels all. */
  labels: LabelSettings | null;
  /** Only these answers are trained on, each with advantage 1; null: all, each with its own. */
  keep: KeepRule | null;
}

/** Optimiser steps on each rollout batch. */
export const stepsPerRollout = (options: OnlineOptions): number =>
  'numIterations' in options ? options.numIterations * options.minibatches : 1;

const common = (options: OnlineOptions) => ({
  ...rollouts(options),
  kl: 'klIn' in options && options.beta > 0 ? klOf(options) : null,
  whitenAdvantages: 'whitenAdvantages' in options && options.whitenAdvantages,
});

const klOf = (options: Extract<OnlineOptions, { klIn: KlPlace }>): KlSettings => ({
  place: options.klIn,
  estimator: options.klEstimator,
  corrected: options.klCorrection,
  coefficient: options.beta,
  adaptive:
    options.klController === 'adaptive'
      ? { target: options.klTarget, horizon: options.klHorizon }
      : null,
});

const rollouts = (options: OnlineOptions) => ({
  sampling: {
    samplesPerPrompt: options.numGenerations,
    maxNewTokens: options.maxNewTokens,
    minNewTokens: options.minNewTokens,
    temperature: options.temperature,
    topK: options.topK,
    topP: options.topP,
    batchSize: options.samplesInFlight,
  },
  shaping: {
    ...(options.rewardClip !== null && { clip: options.rewardClip }),
    missingEosPenalty: options.missingEosPenalty,
    missingEos: options.missingEos,
    running: options.rewardScale === 'running',
  },
  trainingTemperature: options.temperature,
  pairs: null,
  labels: null,
  keep: null,
  critic: null,
});

const updates = (options: RlooOptions | GrpoOptions | PpoOptions) => ({
  epochs: options.numIterations,
  minibatches: options.minibatches,
  targetKl: options.targetKl,
});

const clipOf = (options: RlooOptions | GrpoOptions | PpoOptions): ClipOptions => ({
  low: options.clipRange,
  high: options.clipRangeHigh ?? options.clipRange,
  dual: options.dualClip,
});

export const rlooSettings = (options: RlooOptions): OnlineSettings => ({
  ...common(options),
  ...updates(options),
  advantage: { kind: 'leave_one_out' },
  loss: {
    // The ratio of an answer stands at each of its tokens: their mean counts it once.
    ratio: { level: 'sequence_product', clip: clipOf(options) },
    reduction: 'grpo',
    maxTokens: options.maxNewTokens,
    entropy: options.entropyBonus,
  },
});

export const grpoSettings = (options: GrpoOptions): OnlineSettings => ({
  ...common(options),
  ...updates(options),
  advantage: { kind: 'group', scaling: options.scaleRewards },
  loss: {
    ratio: { level: options.ratioLevel, clip: clipOf(options) },
    reduction: options.loss,
    maxTokens: options.maxNewTokens,
    entropy: options.entropyBonus,
  },
});

export const reinforceSettings = (options: ReinforceOptions): OnlineSettings => ({
  ...common(options),
  epochs: 1,
  minibatches: 1,
  targetKl: null,
  advantage:
    options.baseline === 'batch'
      ? { kind: 'batch' }
      : { kind: 'running', decay: options.baselineDecay },
  loss: {
    ratio: null,
    reduction: 'sequence_sum',
    maxTokens: options.maxNewTokens,
    entropy: options.entropyBonus,
  },
});

export const remaxSettings = (options: RemaxOptions): OnlineSettings => ({
  ...common(options),
  epochs: 1,
  minibatches: 1,
  targetKl: null,
  advantage: { kind: 'greedy' },
  loss: {
    ratio: null,
    reduction: 'sequence_sum',
    maxTokens: options.maxNewTokens,
    entropy: options.entropyBonus,
  },
});

export const onlineDpoSettings = (options: OnlineDpoOptions | D2poOptions): OnlineSettings => ({
  ...rollouts(options),
  kl: { place: 'none', estimator: 'k1', corrected: false, coefficient: 0, adaptive: null },
  whitenAdvantages: false,
  epochs: options.numIterations,
  minibatches: options.minibatches,
  targetKl: null,
  advantage: { kind: 'batch' },
  loss: { ratio: null, reduction: 'sequence_sum', maxTokens: options.maxNewTokens, entropy: 0 },
  pairs: {
    objective: pairedObjective(options.loss),
    options: completeOptions(pairedObjective(options.loss), { ...options }),
    minGap: options.minScoreGap ?? 0,
  },
});

export const d2poSettings = (options: D2poOptions): OnlineSettings => ({
  ...onlineDpoSettings(options),
  labels: {
    goldShare: options.goldShare,
    goldBudget: options.goldBudget,
    goldChoice: options.goldChoice,
    minGap: options.minScoreGap ?? 0,
    minSilverGap: options.minSilverGap ?? 0,
    warmup: discriminatorWarmup(options),
  },
});

/**
 * A step is one of supervised fine-tuning: the mean over the kept answers' tokens of -log p, at
 * temperature 1.
 */
export const raftSettings = (options: RaftOptions): OnlineSettings => ({
  ...rollouts(options),
  trainingTemperature: 1,
  // Without LoRA there is no reference to measure the KL to.
  kl: options.lora
    ? {
        place: options.beta > 0 ? 'reward' : 'none',
        estimator: 'k1',
        corrected: false,
        coefficient: options.beta,
        adaptive: null,
      }
    : null,
  whitenAdvantages: false,
  epochs: options.numIterations,
  minibatches: options.minibatches,
  targetKl: null,
  advantage: { kind: 'batch' },
  loss: { ratio: null, reduction: 'dapo', maxTokens: options.maxNewTokens, entropy: 0 },
  keep: { most: options.keep, threshold: options.rewardThreshold },
});

export const ppoSettings = (options: PpoOptions): OnlineSettings => ({
  ...common(options),
  ...updates(options),
  advantage: {
    kind: 'gae',
    gamma: options.gamma,
    lambda: options.gaeLambda,
    whitenRewards: options.whitenRewards,
  },
  loss: {
    ratio: { level: 'token', clip: clipOf(options) },
    // TRL's: the mean over all tokens.
    reduction: 'dapo',
    maxTokens: options.maxNewTokens,
    entropy: options.entropyBonus,
  },
  critic: {
    shared: options.critic === 'shared',
    coefficient: options.valueCoefficient,
    clip: options.valueClip,
    warmup: options.criticWarmup,
  },
});
