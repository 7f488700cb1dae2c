/** The tokens of a vocabulary by their bytes: a tree whose nodes are in depth-first order. */
export interface TokenTrie {
  /** The byte that leads to each node. */
  readonly bytes: Uint8Array;
  /** Number of bytes from the root to each node, less 1. */
  readonly depths: Uint16Array;
  /** The next node that is not below each node. */
  readonly after: Int32Array;
  /** A token that ends at each node; -1: none. */
  readonly tokens: Int32Array;
  /** For each token, another one with the same bytes; -1: none. */
  readonly alike: Int32Array;
  /** Number of bytes of the longest token. */
  readonly longest: number;
}

interface Branch {
  children: Map<number, Branch>;
  token: number;
}

/** The tokens that are usual, and the few that are longer, which most states treat differently. */
export interface TokenTries {
  readonly short: TokenTrie;
  readonly long: TokenTrie;
  /** The bytes of each token; null: it has no text. */
  readonly texts: readonly (Uint8Array | null)[];
}

/** Share of the tokens that are long, at most. */
const LONG_SHARE = 0.01;

/** @param texts the bytes of each token; null: it has no text */
export function tokenTries(texts: readonly (Uint8Array | null)[]): TokenTries {
  const lengths = texts.map((bytes) => bytes?.length ?? 0).sort((a, b) => b - a);
  const border = lengths[Math.floor(LONG_SHARE * lengths.length)] ?? 0;
  const only = (holds: (length: number) => boolean): TokenTrie =>
    tokenTrie(texts.map((bytes) => (bytes !== null && holds(bytes.length) ? bytes : null)));
  return {
    texts,
    short: only((length) => length <= border),
    long: only((length) => length > border),
  };
}

function tokenTrie(texts: readonly (Uint8Array | null)[]): TokenTrie {
  const branch = (): Branch => ({ children: new Map(), token: -1 });
  const root = branch();
  const alike = new Int32Array(texts.length).fill(-1);
  let count = 0;
  let longest = 0;
  for (const [token, bytes] of texts.entries()) {
    if (bytes === null || bytes.length === 0) continue;
    longest = Math.max(longest, bytes.length);
    let at = root;
    for (const byte of bytes) {
      let next = at.children.get(byte);
      if (next === undefined) {
        next = branch();
        at.children.set(byte, next);
        count += 1;
      }
      at = next;
    }
    alike[token] = at.token;
    at.token = token;
  }
  const bytes = new Uint8Array(count);
  const depths = new Uint16Array(count);
  const after = new Int32Array(count);
  const tokens = new Int32Array(count);
  let next = 0;
  const place = ({ children }: Branch, depth: number): void => {
    for (const [byte, child] of [...children].sort(([a], [b]) => a - b)) {
      const index = next++;
      bytes[index] = byte;
      depths[index] = depth;
      tokens[index] = child.token;
      place(child, depth + 1);
      after[index] = next;
    }
  };
  place(root, 0);
  return { bytes, depths, after, tokens, alike, longest };
}
