// Prompts whose keys and values stay in the cache after their samples ended, so that a later prompt
// which starts with the same tokens computes only the rest.
import type { CachedPrefix, KeyValueCache } from './kv-cache.ts';

interface Known {
  readonly tokens: readonly number[];
  readonly adapter: string | null;
  readonly prefix: CachedPrefix;
}

/** The beginning of a prompt that is in the cache already. */
export interface ReusedPrefix {
  readonly prefix: CachedPrefix;
  /** Number of its tokens that are the same. */
  readonly length: number;
}

/** A shorter beginning costs less to compute than to look after. */
const shortest = 16;

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}

/** Whether a prompt shares so much with another one that it should wait for it. */
export const worthReusing = (
  other: readonly number[],
  tokens: readonly number[],
  known: number,
): boolean => commonLength(other, tokens) >= known + shortest;

export class KnownPrefixes {
  readonly #cache: KeyValueCache;
  readonly #limit: number;
  /** Least recently used first. */
  #known: Known[] = [];

  /** @param limit number of tokens that are retained at most; 0: none */
  constructor(cache: KeyValueCache, limit: number) {
    this.#cache = cache;
    this.#limit = limit;
  }

  /** Number of tokens that are retained. */
  get tokens(): number {
    return this.#known.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  /**
   * The longest known beginning of a prompt; null if there is none. At least one token remains to
   * be computed, since its logits are needed.
   */
  find(tokens: readonly number[], adapter: string | null): ReusedPrefix | null {
    let best: { known: Known; length: number } | null = null;
    for (const known of this.#known) {
      if (known.adapter !== adapter) continue;
      const length = Math.min(commonLength(known.tokens, tokens), tokens.length - 1);
      if (length >= shortest && length > (best?.length ?? 0)) best = { known, length };
    }
    if (best === null) return null;
    const { known, length } = best;
    this.#known = [...this.#known.filter((one) => one !== known), known];
    return { prefix: known.prefix, length };
  }

  /** Retains a prompt that has been computed. */
  add(tokens: readonly number[], adapter: string | null, prefix: CachedPrefix): void {
    if (tokens.length > this.#limit || tokens.length < shortest) return;
    // What the new one contains is found in it.
    this.#drop(
      (one) => one.adapter === adapter && commonLength(one.tokens, tokens) === one.tokens.length,
    );
    prefix.users += 1;
    this.#known.push({ tokens, adapter, prefix });
    while (this.tokens > this.#limit) this.evict();
  }

  /** Releases the least recently used one. @returns false if there is none */
  evict(): boolean {
    const oldest = this.#known.shift();
    if (oldest !== undefined) this.#cache.closePrefix(oldest.prefix);
    return oldest !== undefined;
  }

  /** Releases all prompts of an adapter, because it changes or goes. */
  forget(adapter: string | null): void {
    this.#drop((one) => one.adapter === adapter);
  }

  #drop(unwanted: (known: Known) => boolean): void {
    const { drop = [], rest = [] } = Object.groupBy(this.#known, (one) =>
      unwanted(one) ? 'drop' : 'rest',
    );
    this.#known = rest;
    for (const { prefix } of drop) this.#cache.closePrefix(prefix);
  }
}
