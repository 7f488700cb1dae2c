import type { Tokenizer } from '@keel/model';
import type { DataErrorDetails, Place } from '../data/data-error.ts';
import { unknownToken } from './unknown-token.ts';

/** What a model takes. */
export interface ModelBounds {
  maxPositions: number;
  /** Rows of its embedding. */
  vocabularySize: number;
}

/** Why a model cannot continue these tokens; null where it can. */
export function promptFault(
  tokens: readonly number[],
  tokenizer: Pick<Tokenizer, 'vocabSize' | 'idToToken'>,
  { maxPositions, vocabularySize }: ModelBounds,
): Omit<DataErrorDetails, keyof Place> | null {
  const field = 'prompt';
  if (tokens.length === 0) {
    const advice = 'There is nothing to continue: add text';
    return { field, expected: 'a prompt of at least one token', found: 'none', advice };
  }
  if (tokens.length > maxPositions) {
    return {
      field,
      expected: `at most the ${maxPositions} tokens that the model takes`,
      found: `${tokens.length}`,
      advice: 'Shorten the prompt',
    };
  }
  const unknown = unknownToken([tokens], tokenizer, vocabularySize);
  return (
    unknown && {
      ...{ field, ...unknown },
      advice:
        'Resize the embedding (resize_token_embeddings in transformers), or use the tokenizer that belongs to the model',
    }
  );
}
