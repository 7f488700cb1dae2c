import { type TokenisedAnswer, tokenisePair } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import { type AnswerRow, isPair } from './open-answers.ts';

/** A row's prompt with its answers: chosen and rejected, or one completion. */
export interface TokenisedRow {
  prompt: number[];
  answers: { name: 'chosen' | 'rejected' | 'completion'; answer: TokenisedAnswer }[];
  truncated: boolean;
  /** Answer fields from which the chat template drops text; absent if there are none. */
  lost?: string[];
  /** Of a pair, that chosen is the better answer; absent if the row has none. */
  labelProbability?: number;
}

/** A row's tokens, as in training; null if the prompt alone fills the maximum length. */
export function tokeniseAnswers(
  row: AnswerRow,
  tokenizer: Tokenizer,
  maxLength: number | null,
): TokenisedRow | null {
  const asPair = isPair(row) ? row : { ...row, chosen: row.completion, rejected: row.completion };
  const pair = tokenisePair(asPair, tokenizer, { maxLength });
  if (pair === null) return null;
  const { prompt, chosen, rejected, truncated, lost, labelProbability } = pair;
  const answers: TokenisedRow['answers'] = isPair(row)
    ? [
        { name: 'chosen', answer: chosen },
        { name: 'rejected', answer: rejected },
      ]
    : [{ name: 'completion', answer: chosen }];
  return {
    ...{ prompt, answers, truncated },
    ...(lost && { lost }),
    ...(labelProbability !== undefined && { labelProbability }),
  };
}
