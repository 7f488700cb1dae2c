// Process rewards: whether each step of an answer is right (Uesato et al. 2022, arXiv:2211.14275;
// Lightman et al. 2023, arXiv:2305.20050), as the cross-entropy of Math-Shepherd's eq. 2 (Wang et
// al. 2023, arXiv:2312.08935) with r = s(score). Labels may be shares: the paper's soft estimation,
// the share of continuations that end up right. The paper sums over a solution's steps; the trainer
// decides on the mean. TRL's PRMTrainer uses the softmax of two logits per step, which is the same
// with score = their difference.
import type { Tensor } from '@keel/torch';

/**
 * -y log s(x) - (1 - y) log s(-x)
 * @param scores x, one of each step, [S]
 * @param labels y in [0, 1], of the scores' dtype, [S]
 * @returns the loss of each step, [S]; finite for scores of 1e4
 * @throws RangeError unless both are [S]
 */
export function processReward(scores: Tensor, labels: Tensor): Tensor {
  if (scores.shape.length !== 1 || labels.shape.join() !== scores.shape.join()) {
    throw new RangeError(
      `processReward: scores are [${scores.shape}] and labels [${labels.shape}]; both must be [steps]`,
    );
  }
  const right = labels.mul(scores.logSigmoid()); // [S]
  const wrong = labels.rsub(1).mul(scores.neg().logSigmoid()); // [S]
  return right.add(wrong).neg();
}
