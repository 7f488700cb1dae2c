import type { Tokenizer } from '@keel/model';
import type { PreferenceRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { sameTokens } from './same-answers.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** An answer's tokens; scored are all but those of turns that are not the assistant's. */
export type TokenisedAnswer = ScoredSequence;

export interface TokenisedPair {
  prompt: number[];
  chosen: TokenisedAnswer;
  rejected: TokenisedAnswer;
  /** Whether an answer was cut at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the answers of which the chat template leaves text out; absent where there are none.
   */
  lost?: string[];
  /** As {@link scoreGap}; absent where the row has none. */
  scoreGap?: number;
  /** As {@link rowBeta}; absent where the row has none. */
  beta?: number;
}

export interface TokeniseOptions {
  /** Tokens of prompt and answer together; null: no limit. */
  maxLength: number | null;
  /** Field of a row that is its beta; none: rows have none. */
  betaField?: string | null;
}

/**
 * Turns a preference row into tokens, as {@link tokeniseAnswers} does.
 * @returns null when the maximum length leaves nothing to score of an answer, or nothing that tells
 *   the answers apart
 * @throws ChatTemplateError, Error as {@link tokeniseAnswers} does
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
    ...(lost.length > 0 && { lost }),
  };
  const whole = { prompt, chosen: wholeChosen, rejected: wholeRejected };
  if (truncated && unscoredAnswer(whole) === null && unscoredAnswer(pair) !== null) return null;
  if (truncated && areSame(pair) && !areSame(whole)) return null;
  return pair;
}

/** {@link tokenisePair} as a thread finds it. */
export const pairTokenising: NamedTokenise<PreferenceRow, TokenisedPair, TokeniseOptions> = {
  run: tokenisePair,
  module: import.meta.url,
  name: 'tokenisePair',
};

/**
 * How much better a judge scored chosen than rejected: by the scores of both, or by the row's
 * margin; null without.
 */
export function scoreGap(row: PreferenceRow): number | null {
  const { score_chosen: chosen, score_rejected: rejected, margin } = row;
  return chosen != null && rejected != null ? chosen - rejected : (margin ?? null);
}

/**
 * What a row has in the field that is its beta, a number written as text (CSV knows no other) as a
 * number; undefined without.
 */
export function rowBeta({ extra }: PreferenceRow, field: string | null): unknown {
  const value = field === null ? undefined : (extra[field] ?? undefined);
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  return Number.isNaN(Number(value)) ? value : Number(value);
}

/** Scored tokens of an answer, as {@link packPairs} counts them. */
export function scoredTokens(
  { prompt }: Pick<TokenisedPair, 'prompt'>,
  { scored }: TokenisedAnswer,
): number {
  const first = prompt.length > 0 ? 0 : 1;
  return scored.reduce((sum, one, at) => sum + (one && at >= first ? 1 : 0), 0);
}

/**
 * The answer of which no token is scored: it is empty, only others speak, or nothing stands before
 * its one token.
 */
export function unscoredAnswer(
  pair: Pick<TokenisedPair, 'prompt' | 'chosen' | 'rejected'>,
): 'chosen' | 'rejected' | null {
  const first = pair.prompt.length > 0 ? 0 : 1;
  const isScored = ({ scored }: TokenisedAnswer): boolean => scored.includes(true, first);
  if (!isScored(pair.chosen)) return 'chosen';
  return isScored(pair.rejected) ? null : 'rejected';
}

/** Whether both answers are the same tokens, so that nothing can be learned from the pair. */
export const areSame = ({
  chosen,
  rejected,
}: Pick<TokenisedPair, 'chosen' | 'rejected'>): boolean =>
  sameTokens(chosen.tokens, rejected.tokens);
