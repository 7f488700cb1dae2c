// WPO (Zhou et al. 2024, arXiv:2406.11827, eq. 1, with sampled alignment, eq. 2): DPO weighted by
// how likely the policy is to write such a pair itself, so that pairs far from what it writes teach
// little. A token's likelihood is divided by the policy's mean likelihood of its own tokens, which
// makes weights of answers comparable. The paper's equations and TRL 1.13 let pairs that the policy
// would write count more than others: `wpo_unbounded`. The authors' code and earlier versions of
// TRL hold a pair's weight at 1: `wpo`. TRL's `use_weighting` weighs any loss. At a weight near 0 a
// pair has next to no gradient, right or wrong.
import type { Tensor } from '@keel/torch';
import { definePaired, type ExtraScores, logRatioMargin, type PairedScores } from './paired.ts';

/**
 * w_c w_r, w = exp(mean over tokens of log(p(token)/sum over v of p(v)^2)); without gradient, [P]
 */
const unboundedWeight = ({ alignment }: Pick<ExtraScores, 'alignment'>): Tensor =>
  alignment.chosen.add(alignment.rejected).detach().exp();

/** The same, at most 1, [P] */
export const policyWeight = (scores: Pick<ExtraScores, 'alignment'>): Tensor =>
  unboundedWeight(scores).clamp(null, 1);

const weighted = (scores: PairedScores, beta: number, weight: Tensor): Tensor =>
  logRatioMargin(scores).mul(beta).logSigmoid().neg().mul(weight);

/** min(1, w_c w_r) (-log s(b d)) */
export const wpo = definePaired({
  name: 'wpo',
  needsReference: true,
  needs: ['alignment'],
  loss: (scores, { beta }) => weighted(scores, beta, policyWeight(scores)),
});

/** w_c w_r (-log s(b d)) */
export const wpoUnbounded = definePaired({
  name: 'wpo_unbounded',
  needsReference: true,
  needs: ['alignment'],
  loss: (scores, { beta }) => weighted(scores, beta, unboundedWeight(scores)),
});
