// Rates the answers of one model by a judge.

import { basename, extname, join } from 'node:path';
import { claimFolder, writeFileAtomic } from '@keel/align/internal';
import type { ScoresFile } from '../../result-files/judging-file.ts';
import { fieldsOfPair } from '../answers/compared-pair.ts';
import { readAnswers } from '../answers/read-answers.ts';
import { isFinal } from '../asking/ask-each.ts';
import {
  type RatedAnswer,
  type RatingRow,
  rateAnswers,
  ratingKey,
} from '../asking/rate-answers.ts';
import { KeyedFile } from '../files/keyed-file.ts';
import { claimOutput, refuseOtherAnswers } from '../files/output.ts';
import { snakeJson, writeJson } from '../files/snake-json.ts';
import { ratingReport } from '../report/rating-report.ts';
import { type RatingSummary, summariseRatings } from '../summary/rating-summary.ts';
import {
  countingSkipped,
  FILES,
  firstOf,
  type JudgingHooks,
  type JudgingOptions,
  type Outcome,
} from './judging-options.ts';

export interface RatingRunOptions extends JudgingOptions {
  file: string;
  /** Name of the model, for rows that do not name it; null: the file's name. */
  name: string | null;
}

/**
 * @throws DataError for invalid rows; Error for a judge that only compares, if the output folder
 *   has other ratings, or if the judge cannot be asked (ratings until then are saved)
 */
export async function runRating(
  options: RatingRunOptions,
  { signal, onNotice, onPlan, onProgress }: JudgingHooks = {},
): Promise<Outcome<RatingSummary>> {
  const { output, overwrite, retryFailed, dryRun } = options;
  using _ = dryRun ? null : claimFolder(output, onNotice);
  const answers = await ratedAnswers(options, onNotice);
  await using judge = await options.openJudge();
  if (!dryRun) claimOutput(output, 'rating', judge, { rows: answers.length, overwrite });
  const file = new KeyedFile<RatingRow>(output, FILES.ratings, { overwrite: overwrite && !dryRun });
  const saved = overwrite ? new Map<string, RatingRow>() : file.saved;
  const keys = answers.map((answer) => ratingKey(judge, answer));
  refuseOtherAnswers(output, saved, keys);
  const done = keys.filter((key) => isFinal(saved.get(key), retryFailed)).length;
  onPlan?.({ mode: 'rating', judge, rows: answers.length, done, output });
  if (dryRun) return { summary: null, interrupted: false, output };
  if (done > 0) onNotice?.(`${done} of ${answers.length} ratings are in ${file.path} already`);
  const rows = await rateAnswers(
    judge,
    answers,
    { retryFailed, saved, save: (row) => file.save(row) },
    { signal, onProgress: (progress) => onProgress?.(progress, 'rating') },
  );
  if (rows === null) return { summary: null, interrupted: true, output };
  file.finish(rows);
  const summary = summariseRatings(rows);
  writeJson<ScoresFile>(join(output, FILES.summary), snakeJson(summary));
  writeFileAtomic(join(output, FILES.report), ratingReport(summary, rows));
  return { summary, interrupted: false, output };
}

async function ratedAnswers(
  { file, name, reading: how, limit, reference, category }: RatingRunOptions,
  onNotice: JudgingHooks['onNotice'],
): Promise<RatedAnswer[]> {
  const reading = countingSkipped(how, onNotice);
  const rows = firstOf(await readAnswers([file], reading), limit);
  reading.report();
  return rows.map(({ place, prompt, answer, model, rendering, extra }, row) => ({
    ...fieldsOfPair(extra, place, { reference: reference ?? null, category: category ?? null }),
    ...{ row, prompt, answer, extra, ...(rendering && { rendering }) },
    model: model ?? name ?? basename(file, extname(file)),
  }));
}
