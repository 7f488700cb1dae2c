// ODIN's terms for a reward model with two heads, quality Q and length L (Chen et al. 2024,
// arXiv:2402.07319, section 3.2). The comparisons are ranked by r_Q + r_L; these terms send what
// goes with length to r_L:
//   L_L = |rho(r_Q, length)| - rho(r_L, length),   L_O = |W_Q W_L^T|
// rho is Pearson's correlation over the answers of an optimizer step, and both rows of W have the
// norm 1: rho does not depend on the scale of scores, so with small ones its slope would drown that
// of the comparisons.
import type { Tensor } from '@keel/torch';

/** Keeps the slope finite where all scores, or all weights of a head, are equal. */
const TINY = 1e-12;

/**
 * |rho(r_Q, length)| - rho(r_L, length), from -1 to 1; 0 where all lengths are equal.
 * @param scores [R, 2], of quality and of length
 * @param lengths [R]
 * @returns []
 * @throws RangeError for other shapes
 */
export function lengthCorrelationLoss(scores: Tensor, lengths: Tensor): Tensor {
  const [answers] = scores.shape;
  if (scores.shape.join() !== `${answers},2` || lengths.shape.join() !== `${answers}`) {
    throw new RangeError(
      `lengthCorrelationLoss: scores are [${scores.shape}] and lengths [${lengths.shape}]; expected [answers, 2] and [answers]`,
    );
  }
  const x = lengths.sub(lengths.mean()).unsqueeze(1); // [R, 1]
  const y = scores.sub(scores.mean(0, true)); // [R, 2]
  const norms = x.square().sum().mul(y.square().sum(0)).add(TINY).sqrt(); // [2]
  const rho = x.mul(y).sum(0).div(norms); // [2]
  return rho.select(0, 0).abs().sub(rho.select(0, 1));
}

/**
 * Scores of heads with the norm 1.
 * @param scores [R, 2], under the weight as it is
 * @param weight [2, hidden]
 * @returns [R, 2]
 */
export const unitScores = (scores: Tensor, weight: Tensor): Tensor =>
  scores.div(weight.to(scores.dtype).square().sum(1).add(TINY).sqrt());

/**
 * The absolute cosine between the weights of both heads, from 0 to 1.
 * @param weight [2, hidden]
 * @returns []
 */
export function headOverlap(weight: Tensor): Tensor {
  const [quality, length] = [weight.select(0, 0), weight.select(0, 1)]; // [hidden] each
  const norms = quality.square().sum().mul(length.square().sum()).add(TINY).sqrt();
  return quality.mul(length).sum().div(norms).abs();
}
