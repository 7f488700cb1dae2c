// Attention over a packed batch: causal inside a segment, full over the segments that it continues.
import { ops, type Tensor } from '@keel/torch';
import type { PackedBatch } from './packed-batch.ts';

/** What attention needs to know about its layer. */
export interface AttentionLayer {
  index: number;
  /** Factor on q·k. */
  scale: number;
  softcap: number | null;
  window: number | null;
}

/** Cosine and sine of the angles at every position. */
export interface Rotation {
  /** [T, rotarySize / 2] */
  cosine: Tensor;
  sine: Tensor;
}

/** How queries find keys: in a packed batch, or in a cache while generating. */
export interface Attention {
  /**
   * @param query [T, heads, headSize]
   * @param key [T, keyValueHeads, headSize]
   * @param value [T, keyValueHeads, headSize]
   * @returns [T, heads, headSize]
   */
  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor;
  /**
   * Computes whole blocks, if there is a kernel for them.
   * @param state [T, hidden]
   * @param layers consecutive layers
   * @param rotations of each layer: cosine and sine of every position, [T, rotarySize / 2]; null:
   *   the layer has no position embedding
   * @param adapter name of the adapter that is applied to the blocks' layers, or null
   * @returns the state after them, [T, hidden]; null: the caller must compose the blocks
   */
  blocks?(
    state: Tensor,
    layers: readonly AttentionLayer[],
    rotations: readonly (Rotation | null)[],
    adapter: string | null,
  ): Tensor | null;
}

/** Attention of every segment of a packed batch. */
export class SegmentAttention implements Attention {
  /** start, length and prefix of each segment, in turn */
  readonly #table: readonly number[];

  constructor({ segments }: PackedBatch) {
    this.#table = segments.flatMap(({ start, length, prefix }) => [start, length, prefix]);
  }

  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor {
    const { scale, window, softcap } = layer;
    return ops.segmentAttention(query, key, value, this.#table, scale, window ?? 0, softcap ?? 0);
  }
}
