// DPO on rankings of K answers (Rafailov et al. 2023, arXiv:2305.18290, eq. 20): the Plackett-Luce
// likelihood of the ranking under implicit rewards. With K = 2 it is `sigmoid`.
import type { Tensor } from '@keel/torch';
import { plackettLuce } from './plackett-luce.ts';
import type { RankedObjective } from './ranked.ts';

/** Log-probabilities of G rankings, the best answer first, [G, K] each. */
export interface RankedScores {
  policy: Tensor;
  reference: Tensor;
}

/**
 * -sum over k of log(exp(b l_k) / sum over j >= k of exp(b l_j)), with l the log-ratios
 * @returns [G]
 */
export function plackettLuceDpo({ policy, reference }: RankedScores, beta: number): Tensor {
  const rewards = policy.sub(reference).mul(beta); // [G, K]
  const [rankings, answers] = [rewards.dim(0), rewards.dim(1)];
  const offsets = Int32Array.from({ length: rankings + 1 }, (_, at) => at * answers);
  return plackettLuce(rewards.reshape(-1), offsets);
}

/**
 * The same for rankings of different lengths, with ties as in {@link plackettLuce}:
 * `--loss plackett_luce`.
 */
export const plackettLuceObjective: RankedObjective = {
  name: 'plackett_luce',
  loss: ({ policy, reference, offsets, ranks }, { beta }) =>
    plackettLuce(policy.sub(reference).mul(beta), offsets, ranks),
};
