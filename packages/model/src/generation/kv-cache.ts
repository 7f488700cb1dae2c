// Keys and values of everything that is being generated. Those of a prompt are stored once in a
// pool, regardless of how many samples continue it. Those of a sample's own tokens are in its own
// row.
import { type Device, type DType, fromTypedArray, keep, ops, type Tensor, tidy } from '@keel/torch';
import { FreeRanges } from './free-ranges.ts';

export interface CacheShape {
  layers: number;
  keyValueHeads: number;
  headSize: number;
  dtype: DType;
  device: Device;
}

/** A prompt's place in the pool. */
export interface CachedPrefix {
  readonly start: number;
  readonly length: number;
  /** Number of samples that read it, plus one while more samples may start. */
  users: number;
}

/** A sample's place in the cache. */
export interface CachedRow {
  readonly prefix: CachedPrefix;
  /** Row in the row store. Rows move when the cache grows. */
  slot: number;
  /** Number of its own tokens so far. */
  length: number;
}

/** Initial row length; it doubles. */
const firstCapacity = 32;

export class KeyValueCache {
  readonly #shape: CacheShape;
  /** By layer: [pool, keyValueHeads, headSize] */
  #prefixKeys: Tensor[] = [];
  #prefixValues: Tensor[] = [];
  /** By layer: [rows, capacity, keyValueHeads, headSize] */
  #keys: Tensor[] = [];
  #values: Tensor[] = [];
  readonly #pool = new FreeRanges();
  readonly #live = new Set<CachedRow>();
  #rows = 0;
  #capacity = 0;

  constructor(shape: CacheShape) {
    this.#shape = shape;
  }

  /** Capacity: number of rows, tokens per row, and tokens of prompts. */
  get extent(): { rows: number; capacity: number; pool: number } {
    return { rows: this.#rows, capacity: this.#capacity, pool: this.#pool.extent };
  }

  /** Tensors of a layer. Valid until the next prefix or row is opened, or rows grow. */
  layer(index: number): { prefixKeys: Tensor; prefixValues: Tensor; keys: Tensor; values: Tensor } {
    return {
      prefixKeys: this.#prefixKeys[index]!,
      prefixValues: this.#prefixValues[index]!,
      keys: this.#keys[index]!,
      values: this.#values[index]!,
    };
  }

  /**
   * Reserves space for a prompt of this many tokens. Its keys and values must still be written.
   * @param makeRoom releases a prompt that is no longer needed, instead of growing a pool of
   *   `enough` tokens; false if there is none
   */
  openPrefix(length: number, makeRoom = (): boolean => false, enough = 0): CachedPrefix {
    let start = this.#pool.take(length);
    while (start === null && this.#pool.extent >= enough && makeRoom()) {
      start = this.#pool.take(length);
    }
    if (start === null) {
      this.#growPool(Math.max(length, this.#pool.extent));
      start = this.#pool.take(length)!;
    }
    return { start, length, users: 1 };
  }

  /** Reserves space at once for as many tokens of prompts as will be in the pool together. */
  reservePrefixes(tokens: number): void {
    if (this.#pool.extent === 0 && tokens > 0) this.#growPool(tokens);
  }

  #growPool(tokens: number): void {
    const before = this.#pool.extent;
    this.#pool.grow(tokens);
    const resize = (old: Tensor | undefined): Tensor =>
      this.#resized(old, [this.#pool.extent], before);
    [this.#prefixKeys, this.#prefixValues] = this.#replace(
      this.#prefixKeys,
      this.#prefixValues,
      resize,
    );
  }

  closePrefix(prefix: CachedPrefix): void {
    prefix.users -= 1;
    if (prefix.users === 0) this.#pool.give(prefix.start, prefix.length);
  }

  /** @param expectedRows rows that will be open together: space is reserved for as many at once */
  openRow(prefix: CachedPrefix, expectedRows = 1): CachedRow {
    if (this.#live.size === this.#rows)
      this.#resizeRows(Math.max(expectedRows, this.#rows + 1), this.#capacity);
    const taken = new Set([...this.#live].map((row) => row.slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const row = { prefix, slot, length: 0 };
    this.#live.add(row);
    prefix.users += 1;
    return row;
  }

  closeRow(row: CachedRow): void {
    if (this.#live.delete(row)) this.closePrefix(row.prefix);
  }

  /**
   * Makes space for one more token in every row. If rows must grow, they double in length, and only
   * `expectedRows` of them remain, so that the memory of finished rows is released. Rows that are
   * four times as long as needed are halved.
   */
  reserve(expectedRows: number): void {
    const longest = Math.max(0, ...[...this.#live].map((row) => row.length));
    if (longest < this.#capacity) {
      const half = this.#capacity / 2;
      if (half >= firstCapacity && 2 * longest < half) {
        this.#resizeRows(Math.max(this.#live.size, expectedRows), half);
      }
      return;
    }
    this.#resizeRows(
      Math.max(this.#live.size, expectedRows),
      Math.max(firstCapacity, 2 * this.#capacity),
    );
  }

  #resizeRows(rows: number, capacity: number): void {
    const live = [...this.#live];
    const order = BigInt64Array.from(live, (row) => BigInt(row.slot));
    [this.#keys, this.#values] = this.#replace(this.#keys, this.#values, (old) => {
      if (old === undefined || live.length === 0)
        return this.#resized(undefined, [rows, capacity], 0);
      const chosen = fromTypedArray(order, [live.length], { device: this.#shape.device });
      const made = this.#resized(undefined, [rows, capacity], 0);
      const kept = Math.min(capacity, this.#capacity);
      const rowsBefore = old.narrow(1, 0, kept).indexSelect(0, chosen);
      made.narrow(0, 0, live.length).narrow(1, 0, kept).copy_(rowsBefore);
      return made;
    });
    for (const [slot, row] of live.entries()) row.slot = slot;
    this.#rows = rows;
    this.#capacity = capacity;
  }

  #resized(old: Tensor | undefined, extents: number[], kept: number): Tensor {
    const { keyValueHeads, headSize, dtype, device } = this.#shape;
    const made = ops.emptyMemoryFormat([...extents, keyValueHeads, headSize], dtype, device);
    if (old !== undefined && kept > 0) made.narrow(0, 0, kept).copy_(old);
    return made;
  }

  #replace(
    keys: Tensor[],
    values: Tensor[],
    change: (old: Tensor | undefined) => Tensor,
  ): [Tensor[], Tensor[]] {
    // One tensor at a time, so that the old and the new cache never exist as a whole together.
    const one = (old: Tensor | undefined): Tensor => {
      const made = tidy(() => keep(change(old)));
      old?.dispose();
      return made;
    };
    const all = (tensors: Tensor[]): Tensor[] =>
      Array.from({ length: this.#shape.layers }, (_, index) => one(tensors[index]));
    return [all(keys), all(values)];
  }

  dispose(): void {
    for (const tensors of [this.#prefixKeys, this.#prefixValues, this.#keys, this.#values]) {
      for (const tensor of tensors.splice(0)) tensor.dispose();
    }
    this.#live.clear();
    this.#rows = this.#capacity = 0;
  }
}
