// WPO (Zhou et al. 2024, arXiv:2406.11827, eq. 1, with sampled alignment, eq. 2): DPO weighted by
// how likely the policy is to generate the pair itself, so that pairs far from its own output have
// little effect. A token's likelihood is divided by the policy's mean likelihood of its own tokens,
// which makes the weights of answers comparable. In the paper's equations and TRL 1.13 the weight
// can exceed 1: `wpo_unbounded`. The authors' code and earlier versions of TRL cap a pair's weight
// at 1: `wpo`. TRL's `use_weighting` applies the weight to any loss. At a weight near 0 a pair has
// almost no gradient, right or wrong.
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
  softLabels: true,
  needs: ['alignment'],
  loss: (scores, { beta }) => weighted(scores, beta, policyWeight(scores)),
});

/** w_c w_r (-log s(b d)) */
export const wpoUnbounded = definePaired({
  name: 'wpo_unbounded',
  needsReference: true,
  softLabels: true,
  needs: ['alignment'],
  loss: (scores, { beta }) => weighted(scores, beta, unboundedWeight(scores)),
});
