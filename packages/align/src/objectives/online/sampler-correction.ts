// Corrects for answers that were sampled by another distribution than the trainer's: a server with
// other kernels or precision, or with an older version of the policy. Each token's loss is
// multiplied by the importance ratio trainer/sampler, which is bounded by c:
//   token_truncate     min(rho_t, c),          rho_t = p_t / q_t (Yao et al. 2025, "Your efficient
//                                              RL framework secretly brings you off-policy RL
//                                              training": truncated importance sampling)
//   token_mask         rho_t if rho_t <= c, otherwise 0 (IcePop without its lower bound)
//   sequence_truncate  min(rho, c),            rho = p(y) / q(y), the product over the answer
//   sequence_mask      rho if rho <= c, otherwise 0
// These are the names and the rules of TRL's vllm_importance_sampling_mode.
import { expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export const correctionModes = [
  'token_truncate',
  'token_mask',
  'sequence_truncate',
  'sequence_mask',
] as const;
export type CorrectionMode = (typeof correctionModes)[number];

export interface SamplerCorrection {
  mode: CorrectionMode;
  /** c, above 0. TRL: 3 */
  max: number;
}

export interface CorrectionWeights {
  /** [N], without a gradient. */
  weights: Float64Array;
  /** The weights of the tokens, or of the answers at the sequence levels. */
  units: Float64Array;
  /** Number of them that were truncated or masked. */
  bounded: number;
}

/**
 * @param trainer [N] log-probabilities of the policy, computed by the training path
 * @param sampler [N] those of the sampler, in the distribution that it drew from
 */
export function samplerCorrection(
  layout: RolloutLayout,
  { trainer, sampler }: { trainer: Numbers; sampler: Numbers },
  { mode, max }: SamplerCorrection,
): CorrectionWeights {
  if (!(max > 0)) throw new RangeError(`the bound of the ratio must be above 0, got ${max}`);
  expectLength(trainer, layout.tokens, "trainer's log-probabilities", 'scored tokens');
  expectLength(sampler, layout.tokens, "sampler's log-probabilities", 'scored tokens');
  const perToken = Float64Array.from(trainer, (one, token) => one - sampler[token]!);
  const isPerToken = mode === 'token_truncate' || mode === 'token_mask';
  const ratios = (isPerToken ? perToken : layout.sums(perToken)).map(Math.exp);
  const beyond = mode === 'token_truncate' || mode === 'sequence_truncate' ? max : 0;
  const units = ratios.map((ratio) => (ratio <= max ? ratio : beyond));
  return {
    weights: isPerToken ? units : layout.spread(units),
    units,
    bounded: ratios.filter((ratio) => !(ratio <= max)).length,
  };
}
