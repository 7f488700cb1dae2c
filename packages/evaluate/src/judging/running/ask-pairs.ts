// Asks a judge about pairs, with the verdicts in the output folder.
import type { ComparedPair } from '../answers/compared-pair.ts';
import { isFinal } from '../asking/ask-each.ts';
import { judgePairs, verdictKey } from '../asking/judge-pairs.ts';
import { KeyedFile } from '../files/keyed-file.ts';
import { claimOutput, type JudgingMode, refuseOtherAnswers } from '../files/output.ts';
import type { VerdictRow } from '../verdicts/verdict-row.ts';
import { FILES, type JudgingHooks, type JudgingOptions } from './judging-options.ts';

/**
 * @param completed adds to a verdict what the finished file has besides it
 * @returns the rows of the finished file; null if it was interrupted, or for a dry run
 */
export async function askPairs<Row extends VerdictRow>(
  pairs: readonly ComparedPair[],
  mode: JudgingMode,
  options: JudgingOptions,
  { signal, onNotice, onPlan, onProgress }: JudgingHooks,
  completed: (row: VerdictRow) => Row,
): Promise<Row[] | null> {
  const { output, overwrite, emptyLoses, retryFailed, dryRun } = options;
  await using judge = await options.openJudge();
  if (!dryRun) claimOutput(output, mode, judge, { rows: pairs.length, overwrite });
  const file = new KeyedFile<VerdictRow>(output, FILES.verdicts, {
    overwrite: overwrite && !dryRun,
  });
  const saved = overwrite ? new Map<string, VerdictRow>() : file.saved;
  const keys = pairs.map((pair) => verdictKey(judge, pair, emptyLoses));
  if (!dryRun) refuseOtherAnswers(output, saved, keys);
  const done = keys.filter((key) => isFinal(saved.get(key), retryFailed)).length;
  onPlan?.({ mode, judge, rows: pairs.length, done, output });
  if (dryRun) return null;
  if (done > 0) onNotice?.(`${done} of ${pairs.length} verdicts are in ${file.path} already`);
  const rows = await judgePairs(
    judge,
    pairs,
    { emptyLoses, retryFailed, saved, save: (row) => file.save(row) },
    { signal, onProgress: (progress) => onProgress?.(progress, mode) },
  );
  if (rows === null) return null;
  const finished = rows.map(completed);
  file.finish(finished);
  return finished;
}
