// Attention while generating: it fills the cache with prompts, and reads it for one token per
// sequence.
import { cat, fromTypedArray, ops, type Tensor, tidy, zeros } from '@keel/torch';
import {
  type Attention,
  type AttentionLayer,
  type Rotation,
  SegmentAttention,
} from '../attention.ts';
import { BatchBuilder, type PackedBatch } from '../packed-batch.ts';
import type { DecodeBlocks } from './decode-blocks.ts';
import type { ReusedPrefix } from './known-prefixes.ts';
import type { CachedPrefix, CachedRow, KeyValueCache } from './kv-cache.ts';

/** A prompt that is computed: its place in the cache, and the beginning that is there already. */
export interface PrefilledPrompt {
  readonly tokens: readonly number[];
  readonly prefix: CachedPrefix;
  readonly reused: ReusedPrefix | null;
}

const reusedLength = ({ reused }: PrefilledPrompt): number => reused?.length ?? 0;

/**
 * Attention over a packed batch of prompts that puts their keys and values in the cache. Beginnings
 * that are in the cache already are copied, and the rest of their prompts attends to them.
 */
export class PrefillAttention implements Attention {
  /** The tokens to compute, and their segments: one for each prompt. */
  readonly batch: PackedBatch;
  readonly #inner: SegmentAttention;
  readonly #prompts: readonly PrefilledPrompt[];
  readonly #cache: KeyValueCache;
  /** Number of tokens of reused beginnings. */
  readonly #reused: number;

  constructor(prompts: readonly PrefilledPrompt[], cache: KeyValueCache) {
    // Reused beginnings come first, and are cut off from what is computed.
    const whole = new BatchBuilder();
    const starts = prompts.map((prompt) =>
      prompt.reused === null ? -1 : whole.add(prompt.tokens.slice(0, reusedLength(prompt))),
    );
    this.#reused = whole.size;
    const own = prompts.map((prompt, index) =>
      whole.add(prompt.tokens.slice(reusedLength(prompt)), starts[index]!),
    );
    const { tokens, positions, segments } = whole.build();
    this.#inner = new SegmentAttention({ tokens, positions, segments });
    this.batch = {
      tokens: tokens.subarray(this.#reused),
      positions: positions.subarray(this.#reused),
      segments: own.map((index) => {
        const { start, length } = segments[index]!;
        return { start: start - this.#reused, length, prefix: -1 };
      }),
    };
    this.#prompts = prompts;
    this.#cache = cache;
  }

  attend(query: Tensor, key: Tensor, value: Tensor, layer: AttentionLayer): Tensor {
    const { prefixKeys, prefixValues } = this.#cache.layer(layer.index);
    for (const [index, prompt] of this.#prompts.entries()) {
      const { start } = prompt.prefix;
      const from = this.batch.segments[index]!;
      for (const [pool, own] of [
        [prefixKeys, key],
        [prefixValues, value],
      ] as const) {
        const known = reusedLength(prompt);
        if (prompt.reused !== null) {
          pool.narrow(0, start, known).copy_(pool.narrow(0, prompt.reused.prefix.start, known));
        }
        pool.narrow(0, start + known, from.length).copy_(own.narrow(0, from.start, from.length));
      }
    }
    if (this.#reused === 0) return tidy(() => this.#inner.attend(query, key, value, layer));
    return tidy(() => {
      const before = (pool: Tensor): Tensor[] =>
        this.#prompts.flatMap(({ reused }) =>
          reused === null ? [] : [pool.narrow(0, reused.prefix.start, reused.length)],
        );
      // The operator takes a query for every key. Those of reused tokens are not used.
      const { dtype, device } = query;
      const unused = zeros([this.#reused, query.dim(1), query.dim(2)], { dtype, device });
      const attended = this.#inner.attend(
        cat([unused, query]),
        cat([...before(prefixKeys), key]),
        cat([...before(prefixValues), value]),
        layer,
      ); // [reused + T, heads, headSize]
      return attended.narrow(0, this.#reused, query.dim(0)).clone();
    });
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
  /** The largest of each: a device would have to be waited for to read them there. */
  readonly #longest: number;
  readonly #longestPrefix: number;
  readonly #blocks: DecodeBlocks | null;

  /**
   * Create one for each step, after {@link KeyValueCache.reserve}.
   * @param blocks the decoder's, if whole blocks can be computed at once; else null
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
    this.#longest = Math.max(0, ...rows.map(({ length }) => length + 1));
    this.#longestPrefix = Math.max(0, ...rows.map(({ prefix }) => prefix.length));
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
      this.#longest,
      this.#longestPrefix,
    );
  }

  blocks(
    state: Tensor,
    layers: readonly AttentionLayer[],
    rotations: readonly (Rotation | null)[],
    adapter: string | null,
  ): Tensor | null {
    const blocks = this.#blocks;
    if (blocks === null || blocks.adapter !== adapter) return null;
    return blocks.run(state, layers, rotations, {
      layer: (index) => this.#cache.layer(index),
      rows: this.#slots,
      lengths: this.#lengths,
      prefixStarts: this.#prefixStarts,
      prefixLengths: this.#prefixLengths,
    });
  }
}
