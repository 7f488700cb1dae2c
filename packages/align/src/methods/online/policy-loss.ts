// Losses of sampled tokens, and the terms that can be added to each of them.
import type { Tensor } from '@keel/torch';
import { type ClipOptions, clippedSurrogate } from '../../objectives/online/clipped-surrogate.ts';
import { entropyBonus } from '../../objectives/online/entropy.ts';
import { importanceRatio, type RatioLevel } from '../../objectives/online/importance-ratio.ts';
import { klLoss } from '../../objectives/online/kl-estimators.ts';
import {
  type LossReduction,
  reduceLoss,
  reductionWeights,
  type StepTotals,
} from '../../objectives/online/loss-reductions.ts';
import { reinforceLoss } from '../../objectives/online/reinforce.ts';
import { constantLike, type Numbers, type RolloutLayout } from '../../objectives/online/rollout.ts';
import {
  type CorrectionWeights,
  samplerCorrection,
} from '../../objectives/online/sampler-correction.ts';
import type { KlPenalty } from '../../rollouts/kl-penalty.ts';
import { type CorrectionOptions, correctionOf } from './rollout-server-options.ts';

/** The scored tokens of a pass; [N] each. */
export interface PolicyTokens {
  layout: RolloutLayout;
  /** Of the whole optimizer step. */
  totals: StepTotals;
  /** Log-probabilities, with a gradient. */
  policy: Tensor;
  /** With a gradient if there is an entropy bonus. */
  entropy: Tensor;
  /** Log-probabilities of the policy that sampled. */
  old: Tensor;
  /** Log-probabilities as the sampler computed them. */
  sampler: Numbers;
  /** null without a reference. */
  reference: Tensor | null;
  /** The pass's part of the batch's numbers, [N of the batch] -> [N]. */
  part(values: Float64Array): Tensor;
}

export interface PolicyLoss {
  /** For the metrics of losses that are corrected for the sampler. */
  correction?: CorrectionWeights;
  /** Scalar, with a gradient: the pass's share of the step's loss. */
  total: Tensor;
  /** For the metrics of losses with an importance ratio. */
  clipping?: {
    /** [N] policy/old */
    ratio: Tensor;
    /** [N] of 0 and 1: tokens whose gradient a clip removed. */
    clipped: Tensor;
    range: ClipOptions;
  };
}

/** The policy's term in an optimizer step. */
export interface PolicyTerm {
  /** Of the log-probabilities. */
  temperature: number;
  /** Whether the entropy has a gradient. */
  entropyGradient?: boolean;
  /** Whether the sampler's log-probabilities are at the same temperature, hence comparable. */
  comparesSampler: boolean;
  loss(tokens: PolicyTokens): PolicyLoss;
}

/** Options of the token losses that all methods share. */
export interface LossOptions extends CorrectionOptions {
  temperature: number;
  maxNewTokens: number;
  entropyBonus: number;
}

interface SurrogateOptions extends LossOptions {
  clipRange: number;
  clipRangeHigh: number | null;
  dualClip: number | null;
}

interface TermParts {
  kl: KlPenalty | null;
  reduction: LossReduction;
}

/**
 * PPO's clipped surrogate of importance ratios and advantages (Schulman et al. 2017,
 * arXiv:1707.06347, eq. 7), at the level of tokens or of answers.
 * @param advantages [N of the batch]
 */
export function surrogateTerm(
  options: SurrogateOptions,
  advantages: Float64Array,
  { level, ...terms }: { level: RatioLevel } & TermParts,
): PolicyTerm {
  const range: ClipOptions = {
    low: options.clipRange,
    high: options.clipRangeHigh ?? options.clipRange,
    dual: options.dualClip,
  };
  return {
    ...termOptions(options),
    loss(tokens) {
      const { layout, policy, old } = tokens;
      const ratio = importanceRatio(layout, { policy, old }, level); // [N]
      const { loss, clipped } = clippedSurrogate(ratio, tokens.part(advantages), range); // [N]
      const found = reduced(loss, tokens, options, terms);
      return { ...found, clipping: { ratio, clipped, range } };
    },
  };
}

/**
 * REINFORCE's -A log p, without a ratio (Williams 1992, eq. 11), summed over each answer.
 * @param advantages [N of the batch]
 */
export function reinforceTerm(
  options: LossOptions,
  advantages: Float64Array,
  kl: KlPenalty | null,
): PolicyTerm {
  return {
    ...termOptions(options),
    loss(tokens) {
      const losses = reinforceLoss(tokens.policy, tokens.part(advantages)); // [N]
      return reduced(losses, tokens, options, { kl, reduction: 'sequence_sum' });
    },
  };
}

const termOptions = ({ temperature, entropyBonus }: LossOptions) => ({
  temperature,
  comparesSampler: true,
  entropyGradient: entropyBonus > 0,
});

/**
 * The pass's share of the step's loss: its token losses, corrected for the sampler, with KL and
 * entropy bonus, reduced.
 * @param losses [N]
 */
function reduced(
  losses: Tensor,
  { layout, totals, policy, old, sampler, reference, entropy }: PolicyTokens,
  options: LossOptions,
  { kl: penalty, reduction }: TermParts,
): PolicyLoss {
  const { maxNewTokens: maxTokens, entropyBonus: weight } = options;
  let all = losses; // [N]
  const asked = correctionOf(options);
  const correction = asked && samplerCorrection(layout, { trainer: old.toArray(), sampler }, asked);
  // As in TRL: neither the KL nor the entropy is corrected.
  if (correction !== null) all = all.mul(constantLike(correction.weights, all));
  const kl = penalty?.inLoss() ?? null;
  if (kl !== null && reference !== null) {
    // A corrected term is multiplied by the token's own ratio, whatever the level of the others.
    const importance = kl.corrected
      ? { importance: importanceRatio(layout, { policy, old }, 'token') }
      : {};
    all = all.add(klLoss(kl.estimator, { policy, reference, ...importance }, kl.coefficient));
  }
  if (weight > 0) all = all.add(entropyBonus(entropy, weight));
  const total = reduceLoss(all, reductionWeights(layout, reduction, { totals, maxTokens }));
  return { total, ...(correction && { correction }) };
}
