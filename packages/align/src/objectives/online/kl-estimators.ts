// Estimators of KL(policy || reference) from tokens that the policy sampled (Schulman 2020,
// "Approximating KL divergence", joschu.net/blog/kl-approx.html). With u = log(reference/policy) of
// the sampled token:
//   k1 = -u            unbiased, may be negative
//   k2 = u^2 / 2       biased, never negative
//   k3 = e^u - 1 - u   unbiased, never negative; GRPO's (DeepSeekMath, arXiv:2402.03300, eq. 4)
//
// In the reward, an estimator's value counts, and k1 is the right choice. In a loss term, only its
// gradient counts, which is different (Liu et al. 2025, arXiv:2510.01555): in expectation over the
// policy's own samples
//   k1  d = E[grad log p] = 0: no pull towards the reference at all
//   k2  d = E[log(p/ref) grad log p]: the gradient of KL(policy || reference) at that token
//   k3  d = E[(1 - ref/p) grad log p]: the gradient of KL(reference || policy) at that token
// Multiplied by the importance ratio policy/old with its gradient (DeepSeek-V3.2, arXiv:2512.02556,
// "Unbiased KL Estimate"; TRL's `use_bias_correction_kl`), k1 and k3 have the gradient of KL(policy
// || reference), also off-policy. None of these loss terms accounts for a token's effect on the
// tokens that follow; KL in the reward does.
import type { Tensor } from '@keel/torch';
import { boundedExp } from './bounded-exp.ts';

export const klEstimators = ['k1', 'k2', 'k3'] as const;
export type KlEstimator = (typeof klEstimators)[number];

/**
 * @param policy [N] log-probabilities of the sampled tokens, with a gradient
 * @param reference [N], without a gradient
 * @returns [N]
 */
export function klPerToken(estimator: KlEstimator, policy: Tensor, reference: Tensor): Tensor {
  const ratio = reference.detach().sub(policy); // [N] u
  switch (estimator) {
    case 'k1':
      return ratio.neg();
    case 'k2':
      return ratio.square().mul(0.5);
    case 'k3':
      return boundedExp(ratio).sub(1).sub(ratio);
    default:
      throw new Error(
        `unknown KL estimator "${estimator}": expected one of ${klEstimators.join(', ')}`,
      );
  }
}

/**
 * KL as a loss term, to add to each token's loss before any mean.
 * @param importance [N] policy/old with its gradient (`importanceRatio`), for the corrected form
 *   (default: the plain form)
 * @returns [N] coefficient * k
 * @throws Error for k1 without `importance`, which would not constrain the policy
 */
export function klLoss(
  estimator: KlEstimator,
  { policy, reference, importance }: { policy: Tensor; reference: Tensor; importance?: Tensor },
  coefficient: number,
): Tensor {
  if (estimator === 'k1' && importance === undefined) {
    throw new Error(
      'k1 as a loss term has no gradient in expectation: use k2 or k3, k1 with the importance ratio, or KL in the reward',
    );
  }
  const kl = klPerToken(estimator, policy, reference).mul(coefficient);
  return importance === undefined ? kl : kl.mul(importance);
}
