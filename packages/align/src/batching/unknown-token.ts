import type { Tokenizer } from '@keel/model';

/** A token that has no row in the model's embedding. */
export interface UnknownToken {
  expected: string;
  found: string;
  advice: string;
}

/**
 * The first token that has no row in the model's embedding. A tokenizer may have more tokens than
 * the model if tokens were added without resizing the embedding.
 * @param rows rows of the model's embedding
 * @returns null if there is none
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
      expected: `token ids below ${rows}, the number of rows of the model's embedding`,
      found: `the token ${JSON.stringify(tokenizer.idToToken(id))} with id ${id}`,
      advice:
        'Resize the embedding (resize_token_embeddings in transformers), ' +
        'use the tokenizer that belongs to the model, or pass --on-bad-row skip',
    };
  }
  return null;
}
