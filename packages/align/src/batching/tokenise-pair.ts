import type { Tokenizer } from '@keel/model';
import type { PreferenceRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { sameTokens } from './same-answers.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** An answer's tokens: all are scored, except those of turns that are not the assistant's. */
export type TokenisedAnswer = ScoredSequence;

export interface TokenisedPair {
  prompt: number[];
  chosen: TokenisedAnswer;
  rejected: TokenisedAnswer;
  /** Whether an answer was cut off at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the answers of which the chat template drops text; absent if there are none.
   */
  lost?: string[];
  /** As in {@link scoreGap}; absent if the row has none. */
  scoreGap?: number;
  /** As in {@link rowBeta}; absent if the row has none. */
  beta?: number;
  /** Probability that chosen is the better answer; absent if the row has none. */
  labelProbability?: number;
}

export interface TokeniseOptions {
  /** Maximum tokens of prompt and answer together; null: no limit. */
  maxLength: number | null;
  /** The field with a row's beta; none: rows have no beta. */
  betaField?: string | null;
}

/**
 * Tokenises a pair, as in {@link tokeniseAnswers}.
 * @returns null if the maximum length leaves nothing to score of an answer, or nothing that
 *   distinguishes the answers
 * @throws ChatTemplateError, Error as in {@link tokeniseAnswers}
 */
export function tokenisePair(
  row: PreferenceRow,
  tokenizer: Tokenizer,
  { maxLength, betaField = null }: TokeniseOptions,
): TokenisedPair | null {
  const both = [row.chosen, row.rejected];
  const { prompt, answers, lost } = tokeniseAnswers(row.prompt, both, tokenizer, row.rendering);
  const room = maxLength === null ? Number.POSITIVE_INFINITY : maxLength - prompt.length;
  if (room <= 0) return null;
  const [wholeChosen, wholeRejected] = answers as [TokenisedAnswer, TokenisedAnswer];
  const truncated = answers.some((answer) => answer.tokens.length > room);
  const [chosen, rejected] = answers.map(({ tokens, scored, ...own }) => ({
    ...own,
    tokens: truncated ? tokens.slice(0, room) : tokens,
    scored: truncated ? scored.slice(0, room) : scored,
  })) as [TokenisedAnswer, TokenisedAnswer];
  const gap = scoreGap(row);
  const beta = rowBeta(row, betaField);
  const pair = {
    ...{ prompt, chosen, rejected, truncated },
    ...(gap !== null && { scoreGap: gap }),
    ...(typeof beta === 'number' && { beta }),
    ...(row.label_probability !== undefined && { labelProbability: row.label_probability }),
    ...(lost.length > 0 && { lost }),
  };
  const whole = { prompt, chosen: wholeChosen, rejected: wholeRejected };
  if (truncated && unscoredAnswer(whole) === null && unscoredAnswer(pair) !== null) return null;
  if (truncated && areSame(pair) && !areSame(whole)) return null;
  return pair;
}

/** {@link tokenisePair}, under a name by which a thread loads it. */
export const pairTokenising: NamedTokenise<PreferenceRow, TokenisedPair, TokeniseOptions> = {
  run: tokenisePair,
  module: import.meta.url,
  name: 'tokenisePair',
};

/**
 * How much better a judge scored chosen than rejected: from the scores of both, or else from the
 * row's margin; null if the row has neither.
 */
export function scoreGap(row: PreferenceRow): number | null {
  const { score_chosen: chosen, score_rejected: rejected, margin } = row;
  return chosen != null && rejected != null ? chosen - rejected : (margin ?? null);
}

/**
 * The value of a row's beta field, or undefined. A number written as text becomes a number, since
 * CSV has only text.
 */
export function rowBeta({ extra }: PreferenceRow, field: string | null): unknown {
  const value = field === null ? undefined : (extra[field] ?? undefined);
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  return Number.isNaN(Number(value)) ? value : Number(value);
}

/** Number of scored tokens of an answer, as {@link packPairs} counts them. */
export function scoredTokens(
  { prompt }: Pick<TokenisedPair, 'prompt'>,
  { scored }: TokenisedAnswer,
): number {
  const first = prompt.length > 0 ? 0 : 1;
  return scored.reduce((sum, one, at) => sum + (one && at >= first ? 1 : 0), 0);
}

/**
 * The answer without any scored token: it is empty, has only turns of others, or is a single token
 * without a prompt.
 */
export function unscoredAnswer(
  pair: Pick<TokenisedPair, 'prompt' | 'chosen' | 'rejected'>,
): 'chosen' | 'rejected' | null {
  const first = pair.prompt.length > 0 ? 0 : 1;
  const isScored = ({ scored }: TokenisedAnswer): boolean => scored.includes(true, first);
  if (!isScored(pair.chosen)) return 'chosen';
  return isScored(pair.rejected) ? null : 'rejected';
}

/** Whether both answers have the same tokens, so that the pair has no effect. */
export const areSame = ({
  chosen,
  rejected,
}: Pick<TokenisedPair, 'chosen' | 'rejected'>): boolean =>
  sameTokens(chosen.tokens, rejected.tokens);
