// Checks a judge against people's verdicts.

import { join } from 'node:path';
import { claimFolder, writeFileAtomic } from '@keel/align/internal';
import type { CheckFile } from '../../result-files/judging-file.ts';
import { type CheckSummary, summariseCheck } from '../check/check-summary.ts';
import { readLabels } from '../check/read-labels.ts';
import { snakeJson, writeJson } from '../files/snake-json.ts';
import { checkReport } from '../report/check-report.ts';
import { askPairs } from './ask-pairs.ts';
import {
  countingSkipped,
  FILES,
  type JudgingHooks,
  type JudgingOptions,
  type Outcome,
} from './judging-options.ts';

export interface CheckOptions extends JudgingOptions {
  files: readonly string[];
}

/** @throws DataError for invalid rows; Error as `runComparison` does */
export async function runCheck(
  options: CheckOptions,
  hooks: JudgingHooks = {},
): Promise<Outcome<CheckSummary>> {
  const { output, files, limit, dryRun } = options;
  using _ = dryRun ? null : claimFolder(output, hooks.onNotice);
  const reading = countingSkipped(options.reading, hooks.onNotice);
  const pairs = await readLabels(files, reading, options, limit);
  reading.report();
  const rows = await askPairs(pairs, 'check', options, hooks, (row) => ({
    ...row,
    votes: pairs[row.row]!.votes,
  }));
  if (rows === null) return { summary: null, interrupted: !dryRun, output };
  const summary = summariseCheck(rows);
  writeJson<CheckFile>(join(output, FILES.summary), snakeJson(summary));
  writeFileAtomic(join(output, FILES.report), checkReport(summary, rows));
  return { summary, interrupted: false, output };
}
