import type { AddedToken, TokenizerJson } from './tokenizer-json.ts';

/** Tokens and their ids, the added ones too, as the Rust library numbers them. */
export class Vocabulary {
  readonly #tokens: (string | undefined)[] = [];
  readonly #added: ReadonlyMap<string, number>;
  readonly #model: ReadonlyMap<string, number>;

  /** @param addedIds the id of each added token; null: the library ignores it */
  constructor(json: TokenizerJson, addedIds: readonly (number | null)[]) {
    this.#model = modelIds(json.model.vocab);
    for (const [token, id] of this.#model) this.#tokens[id] = token;
    const added = json.added_tokens.map(({ content }: AddedToken, at) => [content, addedIds[at]]);
    this.#added = new Map(added.filter((entry): entry is [string, number] => entry[1] !== null));
    for (const [token, id] of this.#added) this.#tokens[id] = token;
  }

  /** One more than the largest id. */
  get size(): number {
    return this.#tokens.length;
  }

  idOf(token: string): number | null {
    return this.#added.get(token) ?? this.#model.get(token) ?? null;
  }

  tokenOf(id: number): string | null {
    return this.#tokens[id] ?? null;
  }
}

/** Unigram has a list of pairs of token and score, all others an object of ids. */
const modelIds = (vocab: unknown): Map<string, number> =>
  Array.isArray(vocab)
    ? new Map((vocab as [string, number][]).map(([token], id) => [token, id]))
    : new Map(Object.entries(vocab as Record<string, number>));
