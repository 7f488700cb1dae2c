// Reduces the losses of tokens to one number. Each reduction is a weight per token, with counts of
// the whole optimizer step, so that a step in several passes has the gradient of the same step in
// one pass (except `bnpo`, by definition).
//   sequence_sum  1/S                       sum of a completion's tokens: REINFORCE, RLOO, Dr. GRPO
//                                           (arXiv:2503.20783, figure 1)
//   grpo          1/(S n_i)                 mean of each completion (DeepSeekMath,
//                                           arXiv:2402.03300, eq. 3)
//   dapo_group    1/(P tokens of the group) mean over each prompt's tokens (DAPO,
//                                           arXiv:2503.14476, eq. 8)
//   dapo          1/tokens of the step      TRL's "dapo": all prompts' tokens together
//   dr_grpo       1/(S maxTokens)           TRL's "dr_grpo": sequence_sum over a constant
//   bnpo          1/tokens of the pass      TRL's "bnpo": each pass's own mean, averaged over the
//                                           passes
// BNPO's paper (Xiao et al. 2025, arXiv:2506.02864) does not describe the last one: its subject is
// a normalised reward.
import type { Tensor } from '@keel/torch';
import { constantLike, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export const lossReductions = [
  'grpo',
  'dr_grpo',
  'dapo',
  'dapo_group',
  'bnpo',
  'sequence_sum',
] as const;
export type LossReduction = (typeof lossReductions)[number];

/** Counts of an optimizer step, over all of its passes. */
export interface StepTotals {
  sequences: number;
  tokens: number;
  /** Scored tokens of each prompt. */
  groupTokens: ReadonlyMap<number, number>;
  passes: number;
}

/** @param passes the rollouts that make up one optimizer step */
export function stepTotals(passes: readonly RolloutLayout[]): StepTotals {
  const groupTokens = new Map<number, number>();
  let [sequences, tokens] = [0, 0];
  for (const layout of passes) {
    sequences += layout.sequences;
    tokens += layout.tokens;
    layout.groups.forEach((group, sequence) => {
      groupTokens.set(group, (groupTokens.get(group) ?? 0) + layout.lengthOf(sequence));
    });
  }
  return { sequences, tokens, groupTokens, passes: passes.length };
}

/**
 * @param layout the sequences of one pass
 * @param totals of the step that the pass belongs to (default: the pass is the whole step)
 * @param maxTokens maximum length of a completion, for `dr_grpo`
 * @returns [N]; the loss is the sum of weight times loss over tokens, and the step's loss is the
 *   sum over its passes
 * @throws Error for `dr_grpo` without maxTokens, or an unknown name
 */
export function reductionWeights(
  layout: RolloutLayout,
  reduction: LossReduction,
  { totals = stepTotals([layout]), maxTokens }: { totals?: StepTotals; maxTokens?: number } = {},
): Float64Array {
  return layout.spread(
    Float64Array.from(layout.groups, (group, sequence) => {
      switch (reduction) {
        case 'grpo':
          return 1 / (totals.sequences * layout.lengthOf(sequence));
        case 'dr_grpo':
          if (maxTokens === undefined || !(maxTokens > 0)) {
            throw new Error(
              'dr_grpo divides by the maximum length of a completion: pass maxTokens',
            );
          }
          return 1 / (totals.sequences * maxTokens);
        case 'dapo':
          return 1 / totals.tokens;
        case 'dapo_group':
          return 1 / (totals.groupTokens.size * totals.groupTokens.get(group)!);
        case 'bnpo':
          return 1 / (totals.passes * layout.tokens);
        case 'sequence_sum':
          return 1 / totals.sequences;
        default:
          throw new Error(
            `unknown loss reduction "${reduction}": expected one of ${lossReductions.join(', ')}`,
          );
      }
    }),
  );
}

/** The sum of weight times loss: a scalar, with the gradient of `losses` [N]. */
export function reduceLoss(losses: Tensor, weights: Numbers): Tensor {
  expectLength(weights, losses.dim(0), 'weights', 'scored tokens');
  return losses.mul(constantLike(weights, losses)).sum();
}
