// Summarises verdicts that are there, without asking: Keel's verdict files, and alpaca_eval's
// annotations wherever they were made.
import { makeFolder } from '@keel/model';
import { summarise } from '../summary/judging-summary.ts';
import type { JudgingSummary } from '../summary/summary-types.ts';
import { readVerdicts } from '../verdicts/annotations.ts';
import { writeSummary } from './run-comparison.ts';

/**
 * @param output folder for summary and report; null: none
 * @throws DataError for a file without rows, and for a row in another form
 */
export async function recompute(
  files: readonly string[],
  output: string | null,
): Promise<JudgingSummary> {
  const rows = await readVerdicts(files);
  const summary = summarise(rows);
  if (output !== null) {
    makeFolder(output);
    writeSummary(output, summary, rows, false);
  }
  return summary;
}
