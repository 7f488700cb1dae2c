import type { Description } from './encoding-protocol.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

/** Tokens and their ids, including added tokens, numbered as in the Rust library. */
export class Vocabulary {
  readonly #tokens: (string | undefined)[] = [];
  readonly #added = new Map<string, number>();
  readonly #model: ReadonlyMap<string, number>;

  /** Without added tokens. */
  constructor(json: TokenizerJson) {
    this.#model = modelIds(json.model.vocab);
    for (const [token, id] of this.#model) this.#tokens[id] = token;
  }

  /** @param contents texts of the added tokens, in the order of the description */
  addTokens(contents: readonly string[], { addedIds, addedTexts }: Description): void {
    contents.forEach((content, index) => {
      const id = addedIds[index];
      if (id === null || id === undefined) return;
      this.#added.set(content, id);
      this.#tokens[id] = addedTexts[index] ?? content;
    });
  }

  /** One more than the largest id. */
  get size(): number {
    return this.#tokens.length;
  }

  idOf(token: string): number | null {
    return this.#added.get(token) ?? this.#model.get(token) ?? null;
  }

  /**
   * The decoded form: an added token that is matched in normalized text has its normalized form.
   */
  tokenOf(id: number): string | null {
    return this.#tokens[id] ?? null;
  }
}

/** Unigram has a list of token-score pairs, all others an object of ids. */
const modelIds = (vocab: unknown): Map<string, number> =>
  Array.isArray(vocab)
    ? new Map((vocab as [string, number][]).map(([token], id) => [token, id]))
    : new Map(Object.entries((vocab ?? {}) as Record<string, number>));
