// The gradient of a token's entropy without logits for all tokens at once: it works chunk by chunk.
import { cat, noGrad, type Tensor } from '@keel/torch';

/**
 * The same entropies, with their gradient with respect to the hidden states: with z = c tanh(s W h
 * / c), dH/dz = -p (log p + H). The weight gets no gradient.
 * @param states [N, hidden], with a gradient
 * @param weight [vocabulary, hidden]
 * @param entropy [N]
 * @returns [N]
 */
export function entropyWithGradient(
  states: Tensor,
  weight: Tensor,
  entropy: Tensor,
  { scale, softcap, chunk }: { scale: number; softcap: number; chunk: number },
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
      const logprobs = logits.logSoftmax(-1); // [c, V]
      const own = entropy.detach().narrow(0, start, count).unsqueeze(1); // [c, 1]
      let slope = logprobs.exp().mul(logprobs.add(own)).mul(-scale); // [c, V]
      if (softcap > 0) slope = slope.mul(logits.div(softcap).square().neg().add(1));
      found.push(slope.to(weight.dtype).matmul(weight)); // [c, hidden]
    }
    return cat(found).to(wide); // [N, hidden]
  });
  const still = states.detach();
  // Zero in value; its gradient is the slope.
  return entropy.detach().add(states.sub(still).to(wide).mul(slopes).sum(1));
}
