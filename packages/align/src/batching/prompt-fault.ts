import type { Tokenizer } from '@keel/model';
import type { DataErrorDetails, Place } from '../data/data-error.ts';
import { unknownToken } from './unknown-token.ts';

/** What limits a model's input. */
export interface ModelBounds {
  maxPositions: number;
  /** Number of rows of its embedding. */
  vocabularySize: number;
}

/** Why a model cannot continue these tokens; null if it can. */
export function promptFault(
  tokens: readonly number[],
  tokenizer: Pick<Tokenizer, 'vocabSize' | 'idToToken'>,
  { maxPositions, vocabularySize }: ModelBounds,
): Omit<DataErrorDetails, keyof Place> | null {
  const field = 'prompt';
  if (tokens.length === 0) {
    const advice = 'There is nothing to continue: add text to the prompt';
    return { field, expected: 'a prompt of at least one token', found: 'none', advice };
  }
  if (tokens.length > maxPositions) {
    return {
      field,
      expected: `at most ${maxPositions} tokens, the limit of the model`,
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
