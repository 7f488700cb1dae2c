// The gradient of a token's entropy without logits for all tokens at once: it works chunk by chunk.
import { cat, noGrad, ops, type Tensor } from '@keel/torch';

export interface EntropyShape {
  scale: number;
  softcap: number;
  chunk: number;
  /** [N, words] int32: the tokens that each row may be (default: all); see `ScoredTokens` */
  allowed?: Tensor | null;
}

/**
 * The same entropies, with their gradient with respect to the hidden states: with z = c tanh(s W h
 * / c), dH/dz = -p (log p + H), which is 0 for tokens that are not allowed. The weight gets no
 * gradient.
 * @param states [N, hidden], with a gradient
 * @param weight [vocabulary, hidden]
 * @param entropy [N]
 * @returns [N]
 */
export function entropyWithGradient(
  states: Tensor,
  weight: Tensor,
  entropy: Tensor,
  { scale, softcap, chunk, allowed = null }: EntropyShape,
): Tensor {
  const wide = entropy.dtype;
  const slopes = noGrad(() => {
    const found: Tensor[] = [];
    const rows = states.dim(0);
    for (let start = 0; start < rows; start += chunk) {
      const count = Math.min(chunk, rows - start);
      const part = states.detach().narrow(0, start, count); // [c, hidden]
      let logits = part.matmul(weight.t()).to(wide).mul(scale); // [c, V]
      if (softcap > 0) logits = logits.div(softcap).tanh().mul(softcap);
      const out = allowed && ops.ruledOut(allowed.narrow(0, start, count), weight.dim(0)); // [c, V]
      const masked = out === null ? logits : logits.maskedFill(out, Number.NEGATIVE_INFINITY);
      const logprobs = masked.logSoftmax(-1); // [c, V]
      const own = entropy.detach().narrow(0, start, count).unsqueeze(1); // [c, 1]
      let slope = logprobs.exp().mul(logprobs.add(own)).mul(-scale); // [c, V]
      // 0 * -Infinity is NaN.
      if (out !== null) slope = slope.maskedFill(out, 0);
      if (softcap > 0) slope = slope.mul(logits.div(softcap).square().neg().add(1));
      found.push(slope.to(weight.dtype).matmul(weight)); // [c, hidden]
    }
    return cat(found).to(wide); // [N, hidden]
  });
  const still = states.detach();
  // Zero in value; its gradient is the slope.
  return entropy.detach().add(states.sub(still).to(wide).mul(slopes).sum(1));
}
