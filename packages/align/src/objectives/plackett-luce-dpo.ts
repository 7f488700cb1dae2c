// DPO on rankings of K answers (Rafailov et al. 2023, arXiv:2305.18290, eq. 20): the Plackett-Luce likelihood of the
// ranking under implicit rewards. With K = 2 it is `sigmoid`.
import type { Tensor } from '@keel/torch';

/** Log-probabilities of G rankings, the best answer first, [G, K] each. */
export interface RankedScores {
  policy: Tensor;
  reference: Tensor;
}

/**
 * -sum over k of log(exp(b l_k) / sum over j >= k of exp(b l_j)), l the log-ratios
 * @returns [G]
 */
export function plackettLuceDpo({ policy, reference }: RankedScores, beta: number): Tensor {
  const rewards = policy.sub(reference).mul(beta); // [G, K]
  const answers = rewards.dim(1);
  const terms = Array.from({ length: answers - 1 }, (_, place) =>
    rewards
      .narrow(1, place, answers - place)
      .logsumexp(1)
      .sub(rewards.select(1, place)),
  ); // [G] each
  return terms.reduce((sum, term) => sum.add(term), rewards.select(1, 0).mul(0));
}
