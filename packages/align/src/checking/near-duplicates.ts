// Finds texts that are nearly the same as an earlier one, by MinHash and locality-sensitive
// hashing.
import { BucketTable } from './bucket-table.ts';
import { BINS, CommonShingles, eachShingle, mixed, signatureOf, similarity } from './min-hash.ts';

/** Two texts are near duplicates from this share of common five-character sequences on. */
export const NEAR_THRESHOLD = 0.8;

/**
 * Two texts are compared if all bins of a band are equal. At a similarity of 0.8, 99% of pairs are
 * found; at 0.9, all but one in 40,000.
 */
const BANDS = 12;
const BINS_PER_BAND = 5;

/** Number of first texts that determine which shingles are common. */
const SAMPLED_TEXTS = 500;
/** With fewer texts, no shingle counts as common. */
const FEWEST_SAMPLED = 20;
/** A shingle does not count if more than this share of the texts has it. */
const COMMON_SHARE = 0.2;

/** A text that is nearly an earlier one. */
export interface NearPair {
  item: number;
  earlier: number;
}

/**
 * Shingles do not count if more than a fifth of the first texts have them. Rows with the same
 * instructions around different questions are then different.
 */
export class NearDuplicates {
  /** In the order of the texts. */
  readonly found: NearPair[] = [];
  #waiting: { text: string; item: number }[] | null = [];
  #common = new CommonShingles();
  /** Signatures of the texts so far: [texts][BINS] */
  #signatures = new Uint16Array(1024 * BINS);
  readonly #items: number[] = [];
  readonly #buckets = new BucketTable();

  /**
   * Adds a normalised text, and compares it with those before it.
   * @param item number by which results name the text
   */
  add(text: string, item: number): void {
    if (this.#waiting === null) this.#take(text, item);
    else if (this.#waiting.push({ text, item }) === SAMPLED_TEXTS) this.finish();
  }

  /** Compares the waiting texts, once the common shingles are known. */
  finish(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    if (waiting.length >= FEWEST_SAMPLED) {
      this.#common = commonShingles(waiting.map(({ text }) => text));
    }
    for (const { text, item } of waiting) this.#take(text, item);
  }

  /** The first added text that is nearly this normalised one, or null, after {@link finish}. */
  match(text: string): number | null {
    const signature = signatureOf(text, this.#common);
    return signature && this.#nearest(signature, bandKeys(signature));
  }

  #take(text: string, item: number): void {
    const signature = signatureOf(text, this.#common);
    if (signature === null) return;
    const keys = bandKeys(signature);
    const earlier = this.#nearest(signature, keys);
    if (earlier !== null) {
      this.found.push({ item, earlier });
      return;
    }
    const slot = this.#items.push(item) - 1;
    if ((slot + 1) * BINS > this.#signatures.length) {
      const grown = new Uint16Array(2 * this.#signatures.length);
      grown.set(this.#signatures);
      this.#signatures = grown;
    }
    this.#signatures.set(signature, slot * BINS);
    for (const key of keys) this.#buckets.add(key, slot);
  }

  #nearest(signature: Uint16Array, keys: readonly number[]): number | null {
    let first: number | null = null;
    for (const key of keys) {
      this.#buckets.each(key, (slot) => {
        if (first !== null && slot >= first) return;
        if (similarity(signature, this.#signatures, slot * BINS) >= NEAR_THRESHOLD) first = slot;
      });
    }
    return first === null ? null : this.#items[first]!;
  }
}

/** One key for each band of a signature. */
function bandKeys(signature: Uint16Array): number[] {
  return Array.from({ length: BANDS }, (_, band) => {
    let key = mixed(band + 1);
    for (let at = 0; at < BINS_PER_BAND; at++) {
      key = mixed(Math.imul(key, 31) + signature[band * BINS_PER_BAND + at]!);
    }
    return key;
  });
}

function commonShingles(texts: readonly string[]): CommonShingles {
  const counts = new Map<number, number>();
  for (const text of texts) {
    const own = new Set<number>();
    eachShingle(text, (hash) => own.add(hash));
    for (const hash of own) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  }
  const most = COMMON_SHARE * texts.length;
  return new CommonShingles(
    new Set([...counts].flatMap(([hash, count]) => (count > most ? [hash] : []))),
  );
}
