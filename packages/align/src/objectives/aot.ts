// AOT (Melnyk et al. 2024, arXiv:2406.05882, algorithm 1): first-order stochastic dominance of one
// distribution over another, by sorting both over the batch and comparing quantile by quantile.
// Paired: the policy's log p_c - log p_r should dominate the reference's (TRL's `aot`). Unpaired:
// the chosen log-ratios should dominate the rejected ones (`aot_unpaired`), so that chosen and
// rejected need no common prompt. TRL sorts within a pass; Keel sorts over the whole optimiser
// step. A quantile's gradient is DPO's.
import type { Tensor } from '@keel/torch';
import {
  chosenLogRatio,
  definePaired,
  labelSmoothing,
  rejectedLogRatio,
  smoothedLogistic,
} from './paired.ts';

/** Rank of each value, from 1; of equal values, the earlier one comes first. [P] */
function ranks(values: Tensor): Tensor {
  const { dtype } = values;
  const place = values.eq(values).to(dtype).cumsum(0);
  const [column, row] = [values.unsqueeze(1), values.unsqueeze(0)];
  const below = row.lt(column).to(dtype).sum(1);
  const before = row
    .eq(column)
    .to(dtype)
    .mul(place.unsqueeze(0).lt(place.unsqueeze(1)).to(dtype));
  return below.add(before.sum(1)).add(1);
}

/**
 * For each of `values`, the value of `others` at the same rank, [P]; carries the gradient of
 * `others`
 */
function atSameRank(values: Tensor, others: Tensor): Tensor {
  // [P, P]
  const same = ranks(values.detach()).unsqueeze(1).eq(ranks(others.detach()).unsqueeze(0));
  return same.to(others.dtype).matmul(others.unsqueeze(1)).squeeze(1);
}

/**
 * -(1 - e) log s(b q) - e log s(-b q), q between equal quantiles of log p_c - log p_r under policy
 * and reference
 */
export const aot = definePaired({
  name: 'aot',
  needsReference: true,
  coupled: true,
  options: { labelSmoothing },
  loss(scores, { beta, labelSmoothing: smoothing = 0 }) {
    const policy = scores.policyChosen.sub(scores.policyRejected); // [P]
    const reference = scores.referenceChosen.sub(scores.referenceRejected);
    return smoothedLogistic(policy.sub(atSameRank(policy, reference)).mul(beta), smoothing);
  },
});

/** Like `aot`, with q between equal quantiles of c and r */
export const aotUnpaired = definePaired({
  name: 'aot_unpaired',
  needsReference: true,
  coupled: true,
  options: { labelSmoothing },
  loss(scores, { beta, labelSmoothing: smoothing = 0 }) {
    const chosen = chosenLogRatio(scores); // [P]
    const rejected = atSameRank(chosen, rejectedLogRatio(scores));
    return smoothedLogistic(chosen.sub(rejected).mul(beta), smoothing);
  },
});
