const mask = (1n << 64n) - 1n;

/** SplitMix64 (Steele, Lea, Flood 2014): spreads a seed of any quality over the bits of a state. */
export const splitMix64 = (seed: bigint): (() => bigint) => {
  let state = seed & mask;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    return mixed ^ (mixed >> 31n);
  };
};

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/**
 * xoshiro128** 1.1 (Blackman, Vigna 2018): whole numbers from 0 to 2^32 - 1, from four state words.
 */
export const xoshiro128 = (seed: readonly [number, number, number, number]): (() => number) => {
  let [a, b, c, d] = seed;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
};

const generatorFor = (seed: number, epoch: number): (() => number) => {
  const mix = splitMix64(BigInt(seed));
  // Seed and epoch are mixed separately: seed 1 epoch 2 has nothing in common with seed 2 epoch 1.
  const spread = splitMix64(mix() ^ splitMix64(BigInt(epoch) ^ 0x6b65656c65706f63n)());
  const [first, second] = [spread(), spread()];
  const low = (word: bigint): number => Number(word & 0xffffffffn) | 0;
  return xoshiro128([low(first), low(first >> 32n), low(second), low(second >> 32n)]);
};

/**
 * The numbers from 0 to `length - 1` in an order that depends only on the arguments: Fisher-Yates
 * with unbiased draws of xoshiro128**. It is the same on every machine.
 */
export const shuffledOrder = (length: number, seed: number, epoch: number): Uint32Array => {
  checkCount('length', length, 2 ** 32);
  checkCount('seed', seed, Number.MAX_SAFE_INTEGER);
  checkCount('epoch', epoch, Number.MAX_SAFE_INTEGER);
  const rows = new Uint32Array(length).map((_, row) => row);
  const draw = generatorFor(seed, epoch);
  for (let last = length - 1; last > 0; last--) {
    const range = last + 1;
    // Draws beyond the largest multiple of the range would favour the small numbers.
    const limit = 2 ** 32 - (2 ** 32 % range);
    let drawn = draw();
    while (drawn >= limit) drawn = draw();
    const other = drawn % range;
    const kept = rows[last]!;
    rows[last] = rows[other]!;
    rows[other] = kept;
  }
  return rows;
};

/** Layers of rows that every batch draws from. */
export interface Strata {
  /** The sort key of each row. */
  keys: ArrayLike<number>;
  /** Rows per batch. */
  count: number;
}

/**
 * An order in which any `count` consecutive rows come from `count` layers of the keys, from the
 * smallest to the largest, one from each. The order within a layer is random, as in
 * {@link shuffledOrder}. If the rows do not divide evenly, the last batch of an epoch extends into
 * the next epoch, which starts with the missing layers, so that this also holds for that batch.
 */
export const stratifiedOrder = (
  { keys, count }: Strata,
  seed: number,
  epoch: number,
): Uint32Array => {
  const shuffled = shuffledOrder(keys.length, seed, epoch);
  // A stable sort: rows of equal keys stay shuffled.
  const sorted = Array.from(shuffled).sort((a, b) => keys[a]! - keys[b]!);
  const places = new Uint32Array(keys.length);
  shuffled.forEach((row, place) => {
    places[row] = place;
  });
  // Rows of earlier epochs are in the batch with which this epoch starts.
  const offset = (epoch * keys.length) % count;
  const layerOf = (place: number): number => (offset + place) % count;
  const sizes = new Uint32Array(count);
  shuffled.forEach((_, place) => {
    sizes[layerOf(place)]! += 1;
  });
  let border = 0;
  const layers = Array.from(sizes, (size) => {
    border += size;
    return sorted.slice(border - size, border).sort((a, b) => places[a]! - places[b]!);
  });
  return shuffled.map((_, place) => layers[layerOf(place)]![Math.floor(place / count)]!);
};

const checkCount = (name: string, value: number, limit: number): void => {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(`${name}: expected a whole number from 0 to ${limit}, found ${value}`);
  }
};

/**
 * `index` rows of epoch `epoch` have been drawn; an index equal to the length means that the epoch
 * is finished.
 */
export interface SamplerState {
  epoch: number;
  index: number;
}

export interface OrderedSamplerOptions {
  length: number;
  seed: number;
  /** Without it, rows are in the order of the files. */
  shuffle: boolean;
  /** If given, rows are shuffled so that every batch has rows of all layers. */
  strata?: Strata | null;
}

/**
 * An endless sequence of row numbers, epoch after epoch; every epoch has each row once. The state
 * is two numbers: a sampler of the same length, seed and shuffle that is restored from it continues
 * as if it had never stopped.
 */
export class OrderedSampler {
  readonly length: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly strata: Strata | null;
  #epoch = 0;
  #index = 0;
  #order: Uint32Array | undefined;

  constructor({ length, seed, shuffle, strata = null }: OrderedSamplerOptions) {
    checkCount('length', length, 2 ** 32);
    checkCount('seed', seed, Number.MAX_SAFE_INTEGER);
    if (length === 0) throw new RangeError('there are no rows to sample from');
    this.length = length;
    this.seed = seed;
    this.shuffle = shuffle;
    if (strata !== null && strata.keys.length !== length) {
      throw new RangeError(`strata: ${strata.keys.length} keys for ${length} rows`);
    }
    this.strata = strata;
  }

  next(): number {
    if (this.#index === this.length) {
      this.#epoch++;
      this.#index = 0;
      this.#order = undefined;
    }
    const index = this.#index++;
    if (!this.shuffle) return index;
    this.#order ??=
      this.strata === null
        ? shuffledOrder(this.length, this.seed, this.#epoch)
        : stratifiedOrder(this.strata, this.seed, this.#epoch);
    return this.#order[index]!;
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.next());
  }

  state(): SamplerState {
    return { epoch: this.#epoch, index: this.#index };
  }

  /** @throws RangeError if the state does not fit a sampler of this length */
  check({ epoch, index }: SamplerState): void {
    checkCount('epoch', epoch, Number.MAX_SAFE_INTEGER);
    checkCount('index', index, this.length);
  }

  /** @throws RangeError as in {@link check} */
  restore(state: SamplerState): void {
    this.check(state);
    const { epoch, index } = state;
    this.#epoch = epoch;
    this.#index = index;
    this.#order = undefined;
  }
}
