// The packed batch: one flat list of tokens and a table of segments, without padding or masks.

/**
 * Consecutive tokens of one sequence. A segment attends causally to itself and fully to the
 * segments that it continues.
 */
export interface Segment {
  /** Index of its first token in the batch. */
  start: number;
  length: number;
  /** Index of the segment it continues (a prompt shared by several completions), or -1. */
  prefix: number;
}

/** Segments of tokens in one batch without padding. */
export interface PackedBatch {
  /** [T] */
  tokens: Int32Array;
  /** [T]: position in its own sequence; a completion continues from its prompt's length. */
  positions: Int32Array;
  segments: readonly Segment[];
}

/** Segments that a segment continues, outermost first, itself not included. */
export function ancestors(segments: readonly Segment[], index: number): number[] {
  const chain: number[] = [];
  for (let at = segments[index]!.prefix; at >= 0; at = segments[at]!.prefix) chain.unshift(at);
  return chain;
}

/** Builds a packed batch from sequences. */
export class BatchBuilder {
  readonly #tokens: number[] = [];
  readonly #positions: number[] = [];
  readonly #segments: Segment[] = [];
  readonly #ends: number[] = [];

  /** Number of tokens so far. */
  get size(): number {
    return this.#tokens.length;
  }

  /**
   * Adds a segment that continues `prefix` (-1: starts a sequence).
   * @returns its index
   * @throws RangeError if the prefix does not exist or the segment is empty
   */
  add(tokens: readonly number[], prefix = -1): number {
    if (tokens.length === 0) throw new RangeError('a segment needs at least one token');
    if (prefix >= this.#segments.length)
      throw new RangeError(`segment ${prefix} does not exist yet`);
    const first = prefix < 0 ? 0 : this.#ends[prefix]!;
    this.#segments.push({ start: this.#tokens.length, length: tokens.length, prefix });
    this.#ends.push(first + tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      this.#tokens.push(tokens[i]!);
      this.#positions.push(first + i);
    }
    return this.#segments.length - 1;
  }

  build(): PackedBatch {
    return {
      tokens: Int32Array.from(this.#tokens),
      positions: Int32Array.from(this.#positions),
      segments: [...this.#segments],
    };
  }
}
