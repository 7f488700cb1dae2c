// The loss of the policy on the answers of a pass.
import type { Tensor } from '@keel/torch';
import { clippedSurrogate } from '../../objectives/online/clipped-surrogate.ts';
import { entropyBonus } from '../../objectives/online/entropy.ts';
import { importanceRatio } from '../../objectives/online/importance-ratio.ts';
import { klLoss } from '../../objectives/online/kl-estimators.ts';
import {
  reduceLoss,
  reductionWeights,
  type StepTotals,
} from '../../objectives/online/loss-reductions.ts';
import { reinforceLoss } from '../../objectives/online/reinforce.ts';
import type { RolloutLayout } from '../../objectives/online/rollout.ts';
import type { KlSettings, PolicyLossSettings } from './online-settings.ts';

/** What is known of the sampled tokens of a pass; all [N]. */
export interface PassTokens {
  /** With a gradient. */
  policy: Tensor;
  /** With a gradient where there is an entropy bonus. */
  entropy: Tensor;
  old: Tensor;
  /** null without a reference. */
  reference: Tensor | null;
  advantages: Tensor;
}

export interface PolicyLossOptions extends PolicyLossSettings {
  /** KL as a term of the loss; null: it is none. */
  kl: Pick<KlSettings, 'estimator' | 'corrected' | 'coefficient'> | null;
}

export interface PolicyLoss {
  /** Scalar, with a gradient: the pass's share of the step's loss. */
  total: Tensor;
  /** [N] of 0 and 1, tokens whose gradient a clip took; null without ratios. */
  clipped: Tensor | null;
  /** [N] policy/old; null without ratios. */
  ratio: Tensor | null;
}

/** @param totals of the whole optimiser step */
export function policyLoss(
  layout: RolloutLayout,
  { policy, entropy, old, reference, advantages }: PassTokens,
  options: PolicyLossOptions,
  totals: StepTotals,
): PolicyLoss {
  const { reduction, maxTokens, kl } = options;
  const ratio = options.ratio && importanceRatio(layout, { policy, old }, options.ratio.level);
  const surrogate = ratio && clippedSurrogate(ratio, advantages, options.ratio!.clip);
  let losses = surrogate?.loss ?? reinforceLoss(policy, advantages); // [N]
  if (kl !== null && reference !== null) {
    // A corrected term is multiplied by the token's own ratio, whatever the level of the others.
    const importance = kl.corrected
      ? { importance: importanceRatio(layout, { policy, old }, 'token') }
      : {};
    losses = losses.add(klLoss(kl.estimator, { policy, reference, ...importance }, kl.coefficient));
  }
  if (options.entropy > 0) losses = losses.add(entropyBonus(entropy, options.entropy));
  const weights = reductionWeights(layout, reduction, { totals, maxTokens });
  return { total: reduceLoss(losses, weights), clipped: surrogate?.clipped ?? null, ratio };
}
