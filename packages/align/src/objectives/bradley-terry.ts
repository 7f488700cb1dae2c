// Reward modelling on pairs: the Bradley-Terry model (Bradley & Terry 1952) of a human choice, as a
// loss in Stiennon et al. 2020 (arXiv:2009.01325, section 3.4) and InstructGPT (Ouyang et al. 2022,
// arXiv:2203.02155, eq. 1 with K = 2). The margin is Llama 2's (Touvron et al. 2023,
// arXiv:2307.09288, eq. 2). The loss determines rewards only up to a constant per prompt; centring
// keeps them near 0 (Eisenstein et al. 2023, arXiv:2312.09244, eq. 2), which is TRL's
// `center_rewards_coefficient`.
import type { Tensor } from '@keel/torch';

/** Scores of P pairs, all [P]. */
export interface PairRewards {
  /** Reward of the preferred answer; carries the gradient, as `rejected` does */
  chosen: Tensor;
  rejected: Tensor;
  /** Minimum lead of chosen, larger for stronger preferences (default: 0) */
  margin?: Tensor;
  /** Probability that chosen is the better answer (default: 1) */
  probability?: Tensor;
}

export interface BradleyTerryOptions {
  /** Weight of (chosen + rejected)^2; Eisenstein et al. use 0.01. */
  centring?: number;
}

/**
 * -p log s(c - r - m) - (1 - p) log s(r - c + m) + centring * (c + r)^2
 *
 * With an uncertain label it is the cross-entropy to its probability p (Bai et al. 2022,
 * arXiv:2212.08073, section 4.1, trains preference models on such labels), which is least where s(c
 * - r) = p. Give no margin then: it says how much better a chosen answer is that is certainly
 * better.
 * For a gap of -1e4 the loss is 1e4 and its slope -1: it never overflows. Without centring,
 * shifting both rewards of a pair does not change it.
 * @returns the loss of each pair, [P]; the trainer takes the mean over the whole optimizer step
 * @throws RangeError unless all are [P]: broadcasting a column would silently give [P, P]
 */
export function bradleyTerry(
  { chosen, rejected, margin, probability }: PairRewards,
  { centring = 0 }: BradleyTerryOptions = {},
): Tensor {
  const others = { rejected, ...(margin && { margin }), ...(probability && { probability }) };
  for (const [name, column] of Object.entries(others)) {
    if (chosen.shape.length === 1 && column.shape.join() === chosen.shape.join()) continue;
    throw new RangeError(
      `bradleyTerry: chosen is [${chosen.shape}] and ${name} [${column.shape}]; both must be [pairs]`,
    );
  }
  const gap = chosen.sub(rejected); // [P]
  const lead = margin ? gap.sub(margin) : gap;
  const right = lead.logSigmoid().neg(); // [P]
  const loss = probability
    ? right.mul(probability).sub(lead.neg().logSigmoid().mul(probability.neg().add(1)))
    : right;
  return centring === 0 ? loss : loss.add(chosen.add(rejected).square().mul(centring));
}
