// Asks a judge to rate single answers.
import { createHash } from 'node:crypto';
import { asRead, type Content } from '@keel/align/data';
import type { Exchange, Judge, JudgedAnswer, JudgeUsage } from '@keel/align/judges';
import { answerText } from '../answers/answer-row.ts';
import { answerFlags } from './answer-flags.ts';
import { eachInTurn } from './each-in-turn.ts';
import type { AskingHooks } from './judge-pairs.ts';

/** An answer to rate, as the caller has it. */
export interface RatedAnswer extends JudgedAnswer {
  row: number;
  category: string | null;
  model: string;
}

/** A line of ratings.jsonl. */
export interface RatingRow {
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
  failed: string | null;
  key: string;
}

export interface RatingOptions {
  retryFailed?: boolean;
  saved: ReadonlyMap<string, RatingRow>;
  save(row: RatingRow): void;
}

/**
 * @returns the ratings in the order of the answers; null if it was interrupted
 * @throws Error for a judge that only compares, and what the judge throws if it cannot be asked
 */
export async function rateAnswers(
  judge: Judge,
  answers: readonly RatedAnswer[],
  options: RatingOptions,
  { signal, onProgress }: AskingHooks = {},
): Promise<RatingRow[] | null> {
  if (judge.rate === undefined) {
    throw new Error(
      `the judge ${judge.name} only compares two answers. Pass two files of answers, or a judge that rates`,
    );
  }
  const rows = new Array<RatingRow>(answers.length);
  const usage: JudgeUsage = { promptTokens: 0, answerTokens: 0, cost: 0 };
  const left: { answer: RatedAnswer; key: string; index: number }[] = [];
  let [done, failed] = [0, 0];
  const report = (): void =>
    onProgress?.({ done, total: answers.length, failed, usage: { ...usage } });
  const take = (index: number, row: RatingRow): void => {
    rows[index] = row;
    done += 1;
    if (row.failed !== null) failed += 1;
  };
  for (const [index, answer] of answers.entries()) {
    const key = ratingKey(judge, answer);
    const saved = options.saved.get(key);
    const again = saved === undefined || (saved.failed !== null && options.retryFailed === true);
    if (again) left.push({ answer, key, index });
    else take(index, { ...saved, ...described(judge, answer), key });
  }
  report();
  const complete = await eachInTurn(left, judge.concurrency, signal, async (one) => {
    const { row: _, category: __, model: ___, ...question } = one.answer;
    const rating = await judge.rate!(question, signal);
    const finite = !('failed' in rating) && Number.isFinite(rating.score);
    const row: RatingRow = {
      ...described(judge, one.answer),
      score: finite ? rating.score : null,
      criteria: 'criteria' in rating ? (rating.criteria ?? {}) : {},
      why: rating.why ?? null,
      exchanges: rating.exchanges,
      usage: rating.usage,
      failed: 'failed' in rating ? rating.failed : finite ? null : 'a score that is not finite',
      key: one.key,
    };
    usage.promptTokens += rating.usage.promptTokens;
    usage.answerTokens += rating.usage.answerTokens;
    usage.cost += rating.usage.cost;
    options.save(row);
    take(one.index, row);
    report();
  });
  return complete ? rows : null;
}

const described = ({ name }: Judge, { row, prompt, model, answer, category }: RatedAnswer) => ({
  ...{ row, prompt: asRead(prompt), model, answer: asRead(answer), category },
  judge: name,
  flags: answerFlags(answerText(answer)),
});

/** Hash of all that a rating depends on. */
export function ratingKey({ identity }: Judge, answered: RatedAnswer): string {
  const { prompt, answer, reference = null, rendering = null, extra } = answered;
  const about = [identity, prompt, answer, reference, rendering, extra];
  const text = JSON.stringify(about, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
