// The entropy bonus (Williams & Peng 1991; PPO, arXiv:1707.06347, eq. 9: c_2 S). It needs whole
// distributions: -log p of the sampled token estimates the entropy, but as a loss its gradient is 0
// in expectation.
import { type Tensor, where, zeros } from '@keel/torch';

/**
 * Entropy of each token's distribution, in nats. A masked token (logit of minus infinity)
 * contributes nothing.
 * @param logits [N, V]
 * @returns [N], with a gradient
 */
export function tokenEntropy(logits: Tensor): Tensor {
  const logprobs = logits.logSoftmax(-1); // [N, V]
  const allowed = logprobs.detach().gt(Number.NEGATIVE_INFINITY); // [N, V]
  const none = zeros([], { dtype: logits.dtype, device: logits.device });
  const surprise = where(allowed, logprobs, none); // [N, V]
  return logprobs.exp().mul(surprise).sum(-1).neg();
}

/** -c S, to add to each token's loss before any mean. */
export const entropyBonus = (entropy: Tensor, coefficient: number): Tensor =>
  entropy.mul(-coefficient);
