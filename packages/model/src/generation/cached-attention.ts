// Attention while generating: it fills the cache with prompts, and reads it for one token per
// sequence.
import { fromTypedArray, ops, type Tensor, tidy } from '@keel/torch';
import {
  type Attention,
  type AttentionLayer,
  type Rotation,
  SegmentAttention,
} from '../attention.ts';
import type { PackedBatch } from '../packed-batch.ts';
import type { DecodeBlocks } from './decode-blocks.ts';
import type { CachedPrefix, CachedRow, KeyValueCache } from './kv-cache.ts';

/** Attention over a packed batch of prompts that puts their keys and values in the cache. */
export class PrefillAttention implements Attention {
  readonly #inner: SegmentAttention;
  readonly #batch: PackedBatch;
  readonly #prefixes: readonly CachedPrefix[];
  readonly #cache: KeyValueCache;

  /** @param prefixes one for each segment of the batch */
  constructor(batch: PackedBatch, prefixes: readonly CachedPrefix[], cache: KeyValueCache) {
    this.#inner = new SegmentAttention(batch);
    this.#batch = batch;
    this.#prefixes = prefixes;
    this.#cache = cache;
  }

  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor {
    const { prefixKeys, prefixValues } = this.#cache.layer(layer.index);
    for (const [index, segment] of this.#batch.segments.entries()) {
      const { start, length } = this.#prefixes[index]!;
      prefixKeys.narrow(0, start, length).copy_(key.narrow(0, segment.start, length));
      prefixValues.narrow(0, start, length).copy_(value.narrow(0, segment.start, length));
    }
    return tidy(() => this.#inner.attend(query, key, value, layer));
  }
}

/**
 * Attention of one new token per row. The token is added to the cache, and sees all tokens before
 * it.
 */
export class DecodeAttention implements Attention {
  readonly #cache: KeyValueCache;
  /** [B] int64 each */
  readonly #slots: Tensor;
  readonly #lengths: Tensor;
  readonly #places: Tensor;
  readonly #prefixStarts: Tensor;
  readonly #prefixLengths: Tensor;
  readonly #blocks: DecodeBlocks | null;

  /**
   * Create one for each step, after {@link KeyValueCache.reserve}.
   * @param blocks the decoder's, if a whole block can be computed at once; else null
   */
  constructor(
    rows: readonly CachedRow[],
    cache: KeyValueCache,
    device: string,
    blocks: DecodeBlocks | null = null,
  ) {
    this.#cache = cache;
    this.#blocks = blocks;
    const { capacity } = cache.extent;
    const each = (value: (row: CachedRow) => number): Tensor =>
      fromTypedArray(
        BigInt64Array.from(rows, (row) => BigInt(value(row))),
        [rows.length],
        { device },
      );
    this.#slots = each((row) => row.slot);
    this.#lengths = each((row) => row.length + 1);
    this.#places = each((row) => row.slot * capacity + row.length);
    this.#prefixStarts = each((row) => row.prefix.start);
    this.#prefixLengths = each((row) => row.prefix.length);
  }

  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor {
    const { prefixKeys, prefixValues, keys, values } = this.#cache.layer(layer.index);
    ops.indexCopy_(keys.view(-1, keys.dim(2), keys.dim(3)), 0, this.#places, key);
    ops.indexCopy_(values.view(-1, values.dim(2), values.dim(3)), 0, this.#places, value);
    return ops.decodeAttention(
      query,
      keys,
      values,
      this.#slots,
      this.#lengths,
      layer.scale,
      layer.softcap ?? 0,
      layer.window ?? 0,
      prefixKeys,
      prefixValues,
      this.#prefixStarts,
      this.#prefixLengths,
    );
  }

  block(
    state: Tensor,
    layer: AttentionLayer,
    rotation: Rotation | null,
    adapter: string | null,
  ): Tensor | null {
    if (this.#blocks === null || this.#blocks.adapter !== adapter) return null;
    const { prefixKeys, prefixValues, keys, values } = this.#cache.layer(layer.index);
    return this.#blocks.layers[layer.index]!(state, layer, rotation, {
      keys,
      values,
      rows: this.#slots,
      lengths: this.#lengths,
      prefixKeys,
      prefixValues,
      prefixStarts: this.#prefixStarts,
      prefixLengths: this.#prefixLengths,
    });
  }
}
