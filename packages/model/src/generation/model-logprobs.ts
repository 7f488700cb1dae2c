// What the model itself thinks of tokens: temperature 1, without penalties, biases and filters.
import { fromTypedArray, ops, type Tensor, tidy } from '@keel/torch';

/** A token's log-probability, in nats, and the most likely tokens, most likely first. */
export interface TokenLogprobs {
  token: number;
  logprob: number;
  top: { token: number; logprob: number }[];
}

/**
 * @param logits [N, vocabulary]
 * @param tokens N tokens
 * @param counts how many of the most likely tokens each row gives
 */
export function tokenLogprobs(
  logits: Tensor,
  tokens: readonly number[],
  counts: readonly number[],
): TokenLogprobs[] {
  return tidy(() => {
    const { device } = logits;
    const wide = logits.to('float32');
    const normaliser = wide.logsumexp(1).toArray() as number[];
    const index = fromTypedArray(BigInt64Array.from(tokens, BigInt), [tokens.length, 1], {
      device,
    });
    const chosen = wide.gather(1, index).toArray() as number[]; // [N, 1]
    const most = Math.min(Math.max(...counts), wide.dim(1));
    const [values, places] = most === 0 ? [null, null] : ops.topk(wide, most, 1); // [N, most] each
    const best = values === null ? [] : (values.toArray() as number[]);
    const ids = places === null ? [] : Array.from(places.toArray(), Number);
    return tokens.map((token, row) => ({
      token,
      logprob: chosen[row]! - normaliser[row]!,
      top: Array.from({ length: Math.min(counts[row]!, most) }, (_, rank) => ({
        token: ids[row * most + rank]!,
        logprob: best[row * most + rank]! - normaliser[row]!,
      })),
    }));
  });
}
