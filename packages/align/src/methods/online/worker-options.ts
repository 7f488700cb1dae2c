// Turns the options that online methods share into the worker's settings.
import { KlPenalty, type KlPenaltyOptions } from '../../rollouts/kl-penalty.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import { RolloutWorker, type WorkerOptions } from '../../rollouts/rollout-worker.ts';
import type { RewardShapeOptions } from './reward-shape-options.ts';

/** Options of every online method, and the reward's shape where a method has one. */
export interface RolloutOptions extends Partial<RewardShapeOptions> {
  numGenerations: number;
  maxNewTokens: number;
  minNewTokens: number;
  temperature: number;
  topK: number | null;
  topP: number;
  samplesInFlight: number;
  rewardClip: number | null;
  rewardScale: 'none' | 'running';
  missingEosPenalty: number;
  missingEos: 'subtract' | 'replace';
}

export const rolloutOptions = (
  options: RolloutOptions,
): Pick<WorkerOptions, 'sampling' | 'temperature' | 'shaping' | 'comparison'> => ({
  sampling: {
    samplesPerPrompt: options.numGenerations,
    maxNewTokens: options.maxNewTokens,
    minNewTokens: options.minNewTokens,
    temperature: options.temperature,
    topK: options.topK,
    topP: options.topP,
    batchSize: options.samplesInFlight,
  },
  temperature: options.temperature,
  shaping: {
    ...(options.rewardClip !== null && { clip: options.rewardClip }),
    missingEosPenalty: options.missingEosPenalty,
    missingEos: options.missingEos,
    running: options.rewardScale === 'running',
  },
  comparison:
    (options.rewardShape ?? 'none') === 'none'
      ? null
      : {
          shape: options.rewardShape!,
          answers: options.referenceAnswers ?? 1,
          centre: options.rewardCentre ?? null,
        },
});

/** Options of the KL to the reference. */
export interface KlOptions {
  beta: number;
  klIn: 'reward' | 'loss';
  klEstimator: KlPenaltyOptions['estimator'];
  klCorrection: boolean;
  klController: 'fixed' | 'adaptive';
  klTarget: number;
  klHorizon: number;
}

/** @returns null with `--beta 0`: no KL is computed */
const klPenalty = (options: KlOptions): KlPenalty | null =>
  options.beta === 0
    ? null
    : new KlPenalty({
        place: options.klIn,
        estimator: options.klEstimator,
        corrected: options.klCorrection,
        coefficient: options.beta,
        adaptive:
          options.klController === 'adaptive'
            ? { target: options.klTarget, horizon: options.klHorizon }
            : null,
      });

/** The worker of a method whose options have a KL to the reference. */
export const klWorker = (
  options: RolloutOptions & KlOptions,
  parts: OnlineParts,
  within: Pick<WorkerOptions, 'comparesWithinPrompts'>,
): RolloutWorker =>
  new RolloutWorker(parts, { ...rolloutOptions(options), kl: klPenalty(options), ...within });
