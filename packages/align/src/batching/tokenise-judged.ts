// Tokenises a judged row: a prompt, its answers, and the tokens at which a score is read.
import type { Tokenizer } from '@keel/model';
import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { JudgedRow, PreferenceRow, ProcessRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { promptText } from './prompt-text.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';
import { rankedAnswersOf } from './tokenise-ranking.ts';

/** The tokens of an answer, and the positions at which a score is read. */
export interface ReadAnswer extends ScoredSequence {
  /** One, or one for each step; empty if there is no token to read at. */
  reads: number[];
}

/** The judgement of a row's answers. */
export type Verdict =
  /**
   * Two answers, the better one first; with a probability, the first one is better with that
   * probability.
   */
  | { kind: 'pair'; margin: number; probability?: number }
  /** Best first; equal ranks are ties. */
  | { kind: 'ranking'; ranks: number[] }
  /** One answer, whose steps are right or wrong. */
  | { kind: 'process'; labels: boolean[] };

export interface TokenisedJudged {
  prompt: number[];
  answers: ReadAnswer[];
  /** The field of the row that has each answer. */
  fields: string[];
  verdict: Verdict;
  /** Always false: an answer without its end has no score. */
  truncated: false;
  /**
   * Fields of the answers of which the chat template drops text; absent if there are none.
   */
  lost?: string[];
}

/** Where the score of an answer is read. */
export interface ReadOptions {
  /**
   * `last`: at its last token. `last_not_pad`: at its last token that is not the pad token, as in
   * transformers.
   */
  readAt: 'last' | 'last_not_pad';
  /** Of the model; null: it has none, so both options are the same. */
  padTokenId: number | null;
  /** Text after each step of a process; the score of the step is read at its end. */
  stepSeparator: string;
}

export interface JudgedOptions extends ReadOptions {
  /** Maximum tokens of prompt and answer together; null: no limit. */
  maxLength: number | null;
  /** Source of a pair's margin: the row's `margin`, the difference of its scores, or none. */
  margin: 'row' | 'scores' | 'none';
  marginScale: number;
}

/**
 * Tokenises a judged row as TRL does: chats with the model's template, plain answers with the
 * end-of-sequence token.
 * @returns null if an answer does not fit within the maximum length: its score is read at its end,
 *   so answers are never cut
 * @throws ChatTemplateError, Error as in {@link tokeniseAnswers}
 */
export function tokeniseJudged(
  row: JudgedRow,
  tokenizer: Tokenizer,
  options: JudgedOptions,
): TokenisedJudged | null {
  const { maxLength } = options;
  const judged = judgedTokens(row, tokenizer, options);
  const longest = Math.max(...judged.answers.map(({ tokens }) => tokens.length));
  if (maxLength !== null && judged.prompt.length + longest > maxLength) return null;
  return { ...judged, truncated: false };
}

/** {@link tokeniseJudged}, under a name by which a thread loads it. */
export const judgedTokenising: NamedTokenise<JudgedRow, TokenisedJudged, JudgedOptions> = {
  run: tokeniseJudged,
  module: import.meta.url,
  name: 'tokeniseJudged',
};

function judgedTokens(
  row: JudgedRow,
  tokenizer: Tokenizer,
  options: JudgedOptions,
): Omit<TokenisedJudged, 'truncated'> {
  if ('labels' in row) {
    const { prompt, answer } = tokeniseSteps(row, tokenizer, options);
    const verdict = { kind: 'process' as const, labels: row.labels };
    return { prompt, answers: [answer], fields: ['completions'], verdict };
  }
  if ('ranks' in row) {
    const { completions, ranks, fields } = rankedAnswersOf(row);
    const whole = readAnswers({ ...row, completions }, tokenizer, options);
    return { ...whole, fields, verdict: { kind: 'ranking', ranks } };
  }
  const completions = [row.chosen, row.rejected];
  const whole = readAnswers({ ...row, completions }, tokenizer, options);
  const { marginScale } = options;
  const own = targetMargin(row, options);
  const fields = ['chosen', 'rejected'];
  const { label_probability: probability } = row;
  const known = probability !== undefined && { probability };
  return { ...whole, fields, verdict: { kind: 'pair', margin: own * marginScale, ...known } };
}

/** The margin of a pair before scaling, from where the options say. */
export function targetMargin(
  { margin = 0, score_chosen: better, score_rejected: worse }: PreferenceRow,
  { margin: from }: Pick<JudgedOptions, 'margin'>,
): number {
  if (from === 'row') return margin;
  return from === 'none' || better === undefined || worse === undefined ? 0 : better - worse;
}

/** A prompt and answers to it, with the other inputs of the chat template. */
export interface AnsweredRow {
  prompt: Content;
  completions: readonly Content[];
  rendering?: Rendering;
}

/** The tokens of a prompt and of answers to it, each answer with one read. */
export function readAnswers(
  { prompt: asked, completions, rendering }: AnsweredRow,
  tokenizer: Tokenizer,
  options: ReadOptions,
): Pick<TokenisedJudged, 'prompt' | 'answers' | 'lost'> {
  const found = tokeniseAnswers(asked, completions, tokenizer, rendering);
  const answers = found.answers.map((sequence) => {
    const at = lastRead(sequence.tokens, options);
    return { ...sequence, reads: at < 0 ? [] : [at] };
  });
  return { prompt: found.prompt, answers, ...(found.lost.length > 0 && { lost: found.lost }) };
}

/** An answer in steps: the score of each is read at the last token of its separator. */
export function tokeniseSteps(
  { prompt, completions, rendering }: Pick<ProcessRow, 'prompt' | 'completions' | 'rendering'>,
  tokenizer: Tokenizer,
  { stepSeparator }: Pick<ReadOptions, 'stepSeparator'>,
): { prompt: number[]; answer: ReadAnswer } {
  const isText = !isChat(prompt);
  const text = isText ? prompt : promptText(prompt, { tokenizer, rendering }).text;
  const steps = completions.map((step) => ({ text: `${step}${stepSeparator}`, scored: true }));
  const pieces = [{ text, scored: false }, ...steps];
  const { tokens, scored, lengths } = tokenisePieces(pieces, tokenizer, { begin: isText });
  const [asked = 0, ...own] = lengths;
  let end = -1;
  return {
    prompt: tokens.slice(0, asked),
    answer: {
      tokens: tokens.slice(asked),
      scored: scored.slice(asked),
      reads: own.map((length) => {
        end += length;
        return end;
      }),
    },
  };
}

function lastRead(tokens: readonly number[], { readAt, padTokenId }: ReadOptions): number {
  if (readAt === 'last' || padTokenId === null) return tokens.length - 1;
  return tokens.findLastIndex((token) => token !== padTokenId);
}

/** Tokens that a row adds to a packed batch: the cost of its pass. */
export const judgedLength = ({ prompt, answers }: Pick<TokenisedJudged, 'prompt' | 'answers'>) =>
  answers.reduce((sum, { tokens }) => sum + tokens.length, prompt.length);
