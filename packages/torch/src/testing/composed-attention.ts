import { cat, tensor } from '../create.ts';
import type { Tensor } from '../tensor.ts';

/** Start, length and prefix of each segment, in turn. */
export type SegmentTable = readonly number[];

/**
 * Computes keel::segment_attention segment by segment, with plain operators in the inputs' own
 * type.
 * @param query [T, heads, size]
 * @param key [T, keyHeads, size]
 * @param value [T, keyHeads, size]
 * @returns [T, heads, size]
 */
export function composedAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  table: SegmentTable,
  { scale, window, softcap }: { scale: number; window: number; softcap: number },
): Tensor {
  const [, heads, size] = query.shape as [number, number, number];
  const groups = heads / key.dim(1);
  const chains: { start: number; length: number }[][] = [];
  const outputs: Tensor[] = [];
  for (let at = 0; at < table.length; at += 3) {
    const [start, length, prefix] = table.slice(at, at + 3) as [number, number, number];
    const chain = [...(chains[prefix] ?? []), { start, length }];
    chains.push(chain);
    const total = chain.reduce((sum, run) => sum + run.length, 0);
    // [heads, total, size]: every group of query heads has its own copy
    const gathered = (from: Tensor): Tensor =>
      cat(chain.map((run) => from.narrow(0, run.start, run.length)))
        .transpose(0, 1)
        .unsqueeze(1)
        .expand(from.dim(1), groups, total, size)
        .reshape(heads, total, size);
    const queries = query.narrow(0, start, length).transpose(0, 1); // [heads, length, size]
    let scores = queries.matmul(gathered(key).transpose(1, 2)).mul(scale);
    if (softcap > 0) scores = scores.div(softcap).tanh().mul(softcap);
    const hidden = Array.from({ length }, (_, row) => {
      const place = total - length + row;
      return Array.from({ length: total }, (_, column) =>
        column > place || (window > 0 && column <= place - window) ? 1 : 0,
      );
    });
    const masked = scores.maskedFill(tensor(hidden, { dtype: 'bool' }), Number.NEGATIVE_INFINITY);
    outputs.push(masked.softmax(-1).matmul(gathered(value)).transpose(0, 1));
  }
  return cat(outputs);
}
