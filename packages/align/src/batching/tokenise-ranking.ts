// Tokenises a ranking (a pair is a ranking of two): a prompt and its answers, the best first.
import type { Tokenizer } from '@keel/model';
import type { JudgedRow, PreferenceRow, RankingRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { type PackedAnswers, packAnswers } from './pack-answers.ts';
import { rankedTwice } from './same-answers.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import type { TokeniseOptions } from './tokenise-pair.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';
import { canBeScored } from './tokenise-unpaired.ts';

export interface TokenisedRanking {
  prompt: number[];
  /** Best first. */
  answers: ScoredSequence[];
  /** The rank of each answer, in ascending order; equal ranks are ties. */
  ranks: number[];
  /** The field of the row that has each answer. */
  fields: string[];
  /** Whether an answer was cut off at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the answers of which the chat template drops text; absent if there are none.
   */
  lost?: string[];
}

/** The answers of a ranking, the best first; ties stay in the order of the row. */
export function rankedAnswersOf(row: RankingRow | PreferenceRow) {
  if (!('ranks' in row)) {
    const fields = ['chosen', 'rejected'];
    return { completions: [row.chosen, row.rejected], ranks: [1, 2], fields };
  }
  const order = [...row.ranks.keys()].sort((a, b) => row.ranks[a]! - row.ranks[b]!);
  return {
    completions: order.map((place) => row.completions[place]!),
    ranks: order.map((place) => row.ranks[place]!),
    fields: order.map((place) => `completions[${place}]`),
  };
}

/**
 * Tokenises a ranking, as {@link tokenisePair} does with two answers.
 * @returns null if the maximum length leaves nothing to score of an answer, or nothing that
 *   distinguishes two answers of different rank
 * @throws ChatTemplateError, Error as in {@link tokeniseAnswers}
 * @throws RangeError for the steps of one answer
 */
export function tokeniseRanking(
  row: JudgedRow,
  tokenizer: Tokenizer,
  { maxLength }: TokeniseOptions,
): TokenisedRanking | null {
  if ('labels' in row) throw new RangeError('the steps of one answer are not a ranking');
  const { completions, ranks, fields } = rankedAnswersOf(row);
  const found = tokeniseAnswers(row.prompt, completions, tokenizer, row.rendering);
  const { prompt, answers: whole, lost } = found;
  const room = maxLength === null ? Number.POSITIVE_INFINITY : maxLength - prompt.length;
  if (room <= 0) return null;
  const answers = whole.map((answer) => ({
    ...answer,
    tokens: answer.tokens.slice(0, room),
    scored: answer.scored.slice(0, room),
  }));
  const cutOff = answers.some(
    (answer, at) => !canBeScored({ prompt, answer }) && canBeScored({ prompt, answer: whole[at]! }),
  );
  if (cutOff) return null;
  const truncated = whole.some(({ tokens }) => tokens.length > room);
  if (truncated && rankedTwice(answers, ranks) && !rankedTwice(whole, ranks)) return null;
  return { prompt, answers, ranks, fields, truncated, ...(lost.length > 0 && { lost }) };
}

/** {@link tokeniseRanking}, under a name by which a thread loads it. */
export const rankingTokenising: NamedTokenise<JudgedRow, TokenisedRanking, TokeniseOptions> = {
  run: tokeniseRanking,
  module: import.meta.url,
  name: 'tokeniseRanking',
};

/** Rankings in one packed batch, one after another, each with its answers in order. */
export interface PackedRankings extends PackedAnswers {
  /**
   * Index of each ranking's first answer among the sequences, then the number of answers. [G + 1]
   */
  offsets: Int32Array;
  /** Rank of each answer within its ranking, [A] */
  ranks: Int32Array;
  /** Token count of a trainer without shared prompts, which repeats a prompt for every answer. */
  unsharedTokens: number;
}

/** Packs rankings. A prompt is stored once for all of its answers. */
export function packRankings(rankings: readonly TokenisedRanking[]): PackedRankings {
  const answers = rankings.flatMap(({ prompt, answers: own }) =>
    own.map((answer) => ({ prompt, answer })),
  );
  const offsets = new Int32Array(rankings.length + 1);
  rankings.forEach((one, at) => {
    offsets[at + 1] = offsets[at]! + one.answers.length;
  });
  return {
    ...packAnswers(answers),
    offsets,
    ranks: Int32Array.from(rankings.flatMap(({ ranks }) => ranks)),
    unsharedTokens: answers.reduce(
      (sum, { prompt, answer }) => sum + prompt.length + answer.tokens.length,
      0,
    ),
  };
}

/** Tokens that a ranking adds to a packed batch: the cost of its pass. */
export const rankingTokens = ({ prompt, answers }: TokenisedRanking): number =>
  answers.reduce((sum, { tokens }) => sum + tokens.length, prompt.length);
