import { noGrad, ops, type Tensor, tidy } from '@keel/torch';

/** Number of rows whose logits, [chunk, vocabulary] float32, are held at a time. */
const CHUNK = 256;

/**
 * log of the sum over v of p(v)^2, where p is the softmax of states @ weight^T: the log-probability
 * that two tokens drawn there are equal (WPO, Zhou et al. 2024, arXiv:2406.11827, eq. 5). Without
 * gradient.
 * @param states [N, hidden]
 * @param weight [vocabulary, hidden]
 * @param softcap 0: no cap
 * @param allowed [N, words] int32: the tokens that each row may be (null: all)
 * @returns [N], float32 or wider
 */
export const logCollision = (
  states: Tensor,
  weight: Tensor,
  softcap: number,
  allowed: Tensor | null = null,
): Tensor =>
  noGrad(() =>
    tidy(() => {
      const parts: Tensor[] = [];
      const rows = states.dim(0);
      for (let start = 0; start < rows; start += CHUNK) {
        const count = Math.min(CHUNK, rows - start);
        const part = states.narrow(0, start, count);
        const own = allowed?.narrow(0, start, count) ?? null;
        parts.push(tidy(() => ofLogits(part.linear(weight), softcap, own)));
      }
      return ops.cat(parts, 0);
    }),
  );

/** [rows, vocabulary] -> [rows] */
function ofLogits(raw: Tensor, softcap: number, allowed: Tensor | null): Tensor {
  const wide = raw.dtype === 'float64' ? raw : raw.to('float32');
  const capped = softcap > 0 ? wide.div(softcap).tanh().mul(softcap) : wide;
  const logits =
    allowed === null
      ? capped
      : capped.maskedFill(ops.ruledOut(allowed, raw.dim(1)), Number.NEGATIVE_INFINITY);
  return logits.mul(2).logsumexp(1).sub(logits.logsumexp(1).mul(2));
}
