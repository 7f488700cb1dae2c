// From a judged row to tokens: a prompt, its answers, and at which of their tokens a score is read.
import type { Tokenizer } from '@keel/model';
import { type Content, isChat } from '../data/messages.ts';
import type { JudgedRow, ProcessRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { promptText, tokeniseAnswer } from './tokenise-pair.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';

/** An answer's tokens, and the places among them at which a score is read. */
export interface ReadAnswer extends ScoredSequence {
  /** One, or one for each step; empty where there is no token to read at. */
  reads: number[];
}

/** What is known of a row's answers. */
export type Verdict =
  /** Two answers, the better one first. */
  | { kind: 'pair'; margin: number }
  /** Best first; equal ranks are ties. */
  | { kind: 'ranking'; ranks: number[] }
  /** One answer, whose steps are right or wrong. */
  | { kind: 'process'; labels: boolean[] };

export interface TokenisedJudged {
  prompt: number[];
  answers: ReadAnswer[];
  verdict: Verdict;
  /** Never: an answer without its end has no score. */
  truncated: false;
}

/** Where the score of an answer is read. */
export interface ReadOptions {
  /** `last`: at its last token. `last_not_pad`: at the rightmost that is not the pad token, as transformers does. */
  readAt: 'last' | 'last_not_pad';
  /** Of the model; null: there is none, and both are the same. */
  padTokenId: number | null;
  /** What stands after each step of a process; the score of the step is read at its end. */
  stepSeparator: string;
}

export interface JudgedOptions extends ReadOptions {
  /** Tokens of prompt and answer together; null: no limit. */
  maxLength: number | null;
  /** Where a pair's margin comes from: the row's `margin`, its scores' difference, or nowhere. */
  margin: 'row' | 'scores' | 'none';
  marginScale: number;
}

/**
 * Turns a judged row into tokens, as TRL does: chats by the model's template, plain answers with the end-of-sequence token.
 * @returns null when an answer does not fit within the maximum length: its score is read at its end, so none is cut
 * @throws Error when the row is a chat and the model has no chat template, or one that loses the borders of turns
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

/** {@link tokeniseJudged} as a thread finds it. */
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
    return { prompt, answers: [answer], verdict: { kind: 'process', labels: row.labels } };
  }
  if ('ranks' in row) {
    // A stable order: ties stay as they came.
    const order = row.ranks
      .map((rank, place) => ({ rank, completion: row.completions[place]! }))
      .sort((a, b) => a.rank - b.rank);
    const whole = tokeniseAnswers(
      row.prompt,
      order.map(({ completion }) => completion),
      tokenizer,
      options,
    );
    return { ...whole, verdict: { kind: 'ranking', ranks: order.map(({ rank }) => rank) } };
  }
  const whole = tokeniseAnswers(row.prompt, [row.chosen, row.rejected], tokenizer, options);
  const { margin: from, marginScale } = options;
  const { margin = 0, score_chosen: better, score_rejected: worse } = row;
  const difference = better === undefined || worse === undefined ? 0 : better - worse;
  const own = from === 'row' ? margin : from === 'scores' ? difference : 0;
  return { ...whole, verdict: { kind: 'pair', margin: own * marginScale } };
}

/** A prompt with answers to it, each of which is read once. */
export function tokeniseAnswers(
  prompt: Content,
  answers: readonly Content[],
  tokenizer: Tokenizer,
  options: ReadOptions,
): { prompt: number[]; answers: ReadAnswer[] } {
  const text = promptText(prompt, answers[0]!, tokenizer);
  return {
    prompt: tokenizer.encode(text, { addSpecialTokens: !isChat(prompt) }),
    answers: answers.map((answer) => {
      const sequence = tokeniseAnswer(prompt, answer, tokenizer);
      const at = lastRead(sequence.tokens, options);
      return { ...sequence, reads: at < 0 ? [] : [at] };
    }),
  };
}

/** An answer in steps: each with the separator after it is tokenised by itself and read at its last token. */
export function tokeniseSteps(
  { prompt, completions }: Pick<ProcessRow, 'prompt' | 'completions'>,
  tokenizer: Tokenizer,
  { stepSeparator }: Pick<ReadOptions, 'stepSeparator'>,
): { prompt: number[]; answer: ReadAnswer } {
  const first = completions[0]!;
  const answer = isChat(prompt) ? [{ role: 'assistant', content: first }] : first;
  const asked = promptText(prompt, answer, tokenizer);
  const steps = completions.map((step) =>
    tokenisePieces([{ text: `${step}${stepSeparator}`, scored: true }], tokenizer),
  );
  let end = -1;
  return {
    prompt: tokenizer.encode(asked, { addSpecialTokens: !isChat(prompt) }),
    answer: {
      tokens: steps.flatMap(({ tokens }) => tokens),
      scored: steps.flatMap(({ scored }) => scored),
      reads: steps.map(({ tokens }) => {
        end += tokens.length;
        return end;
      }),
    },
  };
}

function lastRead(tokens: readonly number[], { readAt, padTokenId }: ReadOptions): number {
  if (readAt === 'last' || padTokenId === null) return tokens.length - 1;
  return tokens.findLastIndex((token) => token !== padTokenId);
}

/** Tokens that a row adds to a packed batch: what its pass costs. */
export const judgedLength = ({ prompt, answers }: Pick<TokenisedJudged, 'prompt' | 'answers'>) =>
  answers.reduce((sum, { tokens }) => sum + tokens.length, prompt.length);
