// MinHash of a text's shingles: estimates how similar two texts are from signatures of a fixed
// size.

/** Characters of a shingle. */
export const SHINGLE_LENGTH = 5;
/** Bins of a signature. The standard error of a similarity of 0.8 is 0.035. */
export const BINS = 128;
/**
 * Texts with fewer shingles have no signature, because a single word would decide their similarity.
 */
const FEWEST_SHINGLES = 8;
/** High bits of a hash that choose the bin. */
const BIN_BITS = 7;

/** MurmurHash3's finalizer (Appleby 2008). */
export function mixed(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const BASE = 0x01000193;
/** BASE to the power of SHINGLE_LENGTH, modulo 2^32. */
const LEAVING = Array.from({ length: SHINGLE_LENGTH }).reduce<number>(
  (product) => Math.imul(product, BASE),
  1,
);

/** Calls `visit` with a hash of 32 bits of each run of {@link SHINGLE_LENGTH} UTF-16 units. */
export function eachShingle(text: string, visit: (hash: number) => void): void {
  let rolling = 0;
  for (let at = 0; at < text.length; at++) {
    rolling = (Math.imul(rolling, BASE) + text.charCodeAt(at)) | 0;
    if (at >= SHINGLE_LENGTH) {
      rolling = (rolling - Math.imul(LEAVING, text.charCodeAt(at - SHINGLE_LENGTH))) | 0;
    }
    if (at >= SHINGLE_LENGTH - 1) visit(mixed(rolling));
  }
}

/** Shingles that do not count. */
export class CommonShingles {
  readonly #hashes: ReadonlySet<number>;
  /**
   * Indexed by the low 16 bits: excludes most shingles faster than the Set.
   */
  readonly #maybe = new Uint8Array(1 << 16);

  constructor(hashes: ReadonlySet<number> = new Set()) {
    this.#hashes = hashes;
    for (const hash of hashes) this.#maybe[hash & 0xffff] = 1;
  }

  has(hash: number): boolean {
    return this.#maybe[hash & 0xffff] === 1 && this.#hashes.has(hash);
  }
}

/**
 * One-permutation MinHash (Li, Owen and Zhang 2012), whose empty bins are filled as in Shrivastava
 * 2017, so that short texts can be compared too.
 *
 * @param text normalised
 * @returns [BINS], the low 16 bits of each bin's smallest hash; null if too few shingles count
 */
export function signatureOf(text: string, common: CommonShingles): Uint16Array | null {
  const least = new Uint32Array(BINS).fill(0xffffffff);
  let counted = 0;
  eachShingle(text, (hash) => {
    if (common.has(hash)) return;
    counted++;
    const bin = hash >>> (32 - BIN_BITS);
    if (hash < least[bin]!) least[bin] = hash;
  });
  if (counted < FEWEST_SHINGLES) return null;
  const signature = new Uint16Array(BINS);
  for (let bin = 0; bin < BINS; bin++) {
    let from = bin;
    for (let attempt = 1; least[from] === 0xffffffff; attempt++) {
      from = mixed(Math.imul(bin + 1, 0x9e3779b1) + attempt) >>> (32 - BIN_BITS);
    }
    signature[bin] = least[from]!;
  }
  return signature;
}

/** Estimates the share of shingles that two texts have in common, of all that either has. */
export function similarity(one: ArrayLike<number>, other: ArrayLike<number>, from = 0): number {
  let same = 0;
  for (let bin = 0; bin < BINS; bin++) if (one[bin] === other[from + bin]) same++;
  return same / BINS;
}
