import type { Tokenizer } from '@keel/model';

/** What the model's embedding has no row for. */
export interface UnknownToken {
  expected: string;
  found: string;
  advice: string;
}

/**
 * The first token that the model does not know. A tokenizer may have more tokens than the model:
 * some were added and the embedding was not made larger.
 * @param rows rows of the model's embedding
 * @returns null when there is none
 */
export function unknownToken(
  sequences: Iterable<readonly number[]>,
  tokenizer: Pick<Tokenizer, 'vocabSize' | 'idToToken'>,
  rows: number,
): UnknownToken | null {
  if (tokenizer.vocabSize <= rows) return null;
  for (const tokens of sequences) {
    const id = tokens.find((token) => token >= rows);
    if (id === undefined) continue;
    return {
      expected: `tokens that the model knows: its embedding has ${rows} rows`,
      found: `the token ${JSON.stringify(tokenizer.idToToken(id))}, whose id is ${id}`,
      advice:
        'The tokenizer has tokens that the model was not made larger for. Resize the embedding (resize_token_embeddings in transformers), ' +
        'use the tokenizer that belongs to the model, or pass --on-bad-row skip',
    };
  }
  return null;
}
