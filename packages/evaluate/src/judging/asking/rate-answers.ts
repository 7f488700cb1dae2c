// Asks a judge to rate single answers.
import { asRead, type Content } from '@keel/align/data';
import {
  type AnswerRating,
  type Exchange,
  isNoVerdict,
  type Judge,
  type JudgedAnswer,
  type JudgeUsage,
  type NoVerdict,
} from '@keel/align/judges';
import { answerText } from '../answers/answer-row.ts';
import type { AskedRow } from '../verdicts/asked-row.ts';
import { answerFlags } from './answer-flags.ts';
import { type AskingHooks, askEach, type ResumingOptions, rowKey } from './ask-each.ts';

/** An answer to rate, as the caller has it. */
export interface RatedAnswer extends JudgedAnswer {
  row: number;
  category: string | null;
  model: string;
}

/** A line of ratings.jsonl. */
export interface RatingRow extends AskedRow {
  row: number;
  prompt: Content;
  model: string;
  answer: Content;
  category: string | null;
  judge: string;
  /** null: no rating */
  score: number | null;
  criteria: Readonly<Record<string, number>>;
  why: string | null;
  exchanges: readonly Exchange[];
  usage: JudgeUsage;
  flags: readonly string[];
}

/**
 * @returns the ratings in the order of the answers; null if it was interrupted
 * @throws Error for a judge that only compares, and what the judge throws if it cannot be asked
 */
export async function rateAnswers(
  judge: Judge,
  answers: readonly RatedAnswer[],
  options: ResumingOptions<RatingRow>,
  hooks: AskingHooks = {},
): Promise<RatingRow[] | null> {
  if (judge.rate === undefined) {
    throw new Error(
      `the judge ${judge.name} only compares two answers. Pass two files of answers, or a judge that rates`,
    );
  }
  const rate = judge.rate.bind(judge);
  return askEach(
    answers,
    {
      keyOf: (answer) => ratingKey(judge, answer),
      described: (answer) => described(judge, answer),
      async ask({ row: _, category: __, model: ___, ...question }) {
        const rating = await rate(question, hooks.signal);
        return { said: saidOf(rating), usage: rating.usage };
      },
      concurrency: judge.concurrency,
    },
    options,
    hooks,
  );
}

function saidOf(rating: AnswerRating | NoVerdict) {
  const { why = null, exchanges, usage, transient } = rating;
  const common = { why, exchanges, usage, ...(transient === true && { transient }) };
  if (isNoVerdict(rating)) {
    return { score: null, criteria: {}, ...common, failed: rating.failed };
  }
  const { score, criteria = {} } = rating;
  return Number.isFinite(score)
    ? { score, criteria, ...common, failed: null }
    : { score: null, criteria, ...common, failed: 'a score that is not finite' };
}

const described = ({ name }: Judge, { row, prompt, model, answer, category }: RatedAnswer) => ({
  ...{ row, prompt: asRead(prompt), model, answer: asRead(answer), category },
  judge: name,
  flags: answerFlags(answerText(answer)),
});

/** Hash of all that a rating depends on. */
export const ratingKey = (judge: Judge, answer: RatedAnswer): string => rowKey(judge, answer);
