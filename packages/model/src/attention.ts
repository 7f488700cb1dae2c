// Attention over a packed batch: causal inside a segment, full over the segments it continues.
import { cat, fromTypedArray, ops, type Tensor } from '@keel/torch';
import { ancestors, type PackedBatch, type Segment } from './packed-batch.ts';

/** What attention must know of its layer. */
export interface AttentionLayer {
  index: number;
  /** Factor on q·k. */
  scale: number;
  softcap: number | null;
  window: number | null;
}

/** How queries find keys: over a packed batch, or over a cache while generating. */
export interface Attention {
  /**
   * @param query [T, heads, headSize]
   * @param key [T, keyValueHeads, headSize]
   * @param value [T, keyValueHeads, headSize]
   * @returns [T, heads, headSize]
   */
  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor;
}

/**
 * Which keys each query of a segment may see: [length, past + length] with 0 for seen and -Infinity for not.
 * null where plain causal order says the same.
 */
function visibility(length: number, past: number, window: number | null): Float32Array | null {
  const total = past + length;
  if (past === 0 && (window === null || window >= total)) return null;
  const mask = new Float32Array(length * total);
  for (let row = 0; row < length; row++) {
    const at = past + row;
    const first = window === null ? 0 : Math.max(0, at - window + 1);
    mask.fill(Number.NEGATIVE_INFINITY, row * total, row * total + first);
    mask.fill(Number.NEGATIVE_INFINITY, row * total + at + 1, (row + 1) * total);
  }
  return mask;
}

/** [L, heads, size] -> [1, heads, L, size] */
const headsFirst = (tensor: Tensor): Tensor => tensor.transpose(0, 1).unsqueeze(0);

/** Attention of every segment of a packed batch. Made anew for each forward pass: masks are shared by its layers. */
export class SegmentAttention implements Attention {
  readonly #segments: readonly Segment[];
  readonly #masks = new Map<string, Tensor | null>();

  constructor({ segments }: PackedBatch) {
    this.#segments = segments;
  }

  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor {
    const sizes = this.#segments.map((segment) => segment.length);
    const groups = query.dim(1) / key.dim(1);
    const queries = query.split(sizes);
    const keys = key.split(sizes);
    const values = value.split(sizes);
    const results = this.#segments.map((segment, index) => {
      const chain = [...ancestors(this.#segments, index), index];
      const join = (parts: Tensor[]): Tensor => {
        const joined = chain.length === 1 ? parts[index]! : cat(chain.map((one) => parts[one]!));
        const byHead = headsFirst(joined); // [1, keyValueHeads, S, size]
        return groups === 1 ? byHead : ops.repeatInterleaveSelfInt(byHead, groups, 1);
      };
      const past = chain.reduce(
        (sum, one) => sum + (one === index ? 0 : this.#segments[one]!.length),
        0,
      );
      const mask = this.#mask(segment.length, past, layer.window, query);
      const [q, k, v] = [headsFirst(queries[index]!), join(keys), join(values)];
      const attended =
        layer.softcap === null
          ? ops.scaledDotProductAttention(q, k, v, mask, 0, mask === null, layer.scale)
          : cappedAttention(
              q,
              k,
              v,
              mask ?? this.#causal(segment.length, query),
              layer.scale,
              layer.softcap,
            );
      return attended.squeeze(0).transpose(0, 1); // [L, heads, size]
    });
    return results.length === 1 ? results[0]! : cat(results);
  }

  #mask(length: number, past: number, window: number | null, like: Tensor): Tensor | null {
    const name = `${length}/${past}/${window}`;
    let mask = this.#masks.get(name);
    if (mask === undefined) {
      const seen = visibility(length, past, window);
      mask = seen === null ? null : additive(seen, length, past + length, like);
      this.#masks.set(name, mask);
    }
    return mask;
  }

  #causal(length: number, like: Tensor): Tensor {
    const name = `causal/${length}`;
    let mask = this.#masks.get(name) ?? null;
    if (mask === null) {
      const seen = new Float32Array(length * length);
      for (let row = 0; row < length; row++)
        seen.fill(Number.NEGATIVE_INFINITY, row * length + row + 1, (row + 1) * length);
      mask = additive(seen, length, length, like);
      this.#masks.set(name, mask);
    }
    return mask;
  }
}

const additive = (seen: Float32Array, rows: number, columns: number, like: Tensor): Tensor =>
  fromTypedArray(seen, [rows, columns]).to({ dtype: like.dtype, device: like.device });

/** Attention whose scores are softly capped: written out, since no fused kernel has it. */
function cappedAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor,
  scale: number,
  softcap: number,
): Tensor {
  const scores = q.matmul(k.transpose(-2, -1)).mul(scale); // [1, heads, L, S]
  const capped = scores.div(softcap).tanh().mul(softcap).add(mask);
  const wide = capped.dtype === 'float64' ? capped : capped.to('float32');
  return wide.softmax(-1).to(v.dtype).matmul(v);
}
