// What comparing, rating and checking have in common.
import type { DataError } from '@keel/align';
import type { Judge } from '@keel/align/judges';
import type { PairFields } from '../answers/compared-pair.ts';
import type { ReadingOptions } from '../answers/read-answers.ts';
import type { AskingProgress } from '../asking/ask-each.ts';
import type { JudgingMode } from '../files/output.ts';

/** What is judged, and where the verdicts go. */
export interface JudgingOptions extends PairFields {
  /** Called once the answers are there, so that no two models are in memory. */
  openJudge(): Promise<Judge>;
  output: string;
  overwrite: boolean;
  reading: Omit<ReadingOptions, 'onSkipped'>;
  /** Use only the first rows; null: all. */
  limit: number | null;
  /** Whether to ask again where an earlier call got no verdict. */
  retryFailed: boolean;
  /** Whether an empty answer loses without asking. */
  emptyLoses: boolean;
  /** Only read the inputs and open the judge. */
  dryRun: boolean;
}

/** What is going to be asked. */
export interface JudgingPlan {
  mode: JudgingMode;
  judge: Pick<Judge, 'name' | 'seesOrder' | 'concurrency'>;
  rows: number;
  /** Of these, rows that have a verdict already. */
  done: number;
  output: string;
}

/** What a judging reports, and how it is stopped. */
export interface JudgingHooks {
  signal?: AbortSignal | undefined;
  onNotice?(text: string): void;
  /** A model's answers to the prompts. */
  onSampling?(name: string, done: number, total: number): void;
  onPlan?(plan: JudgingPlan): void;
  onProgress?(progress: AskingProgress, mode: JudgingMode): void;
}

/** null: interrupted, or a dry run. */
export interface Outcome<Summary> {
  summary: Summary | null;
  interrupted: boolean;
  output: string;
}

/** Files in the output folder. */
export const FILES = {
  verdicts: 'verdicts.jsonl',
  ratings: 'ratings.jsonl',
  annotations: 'annotations.json',
  summary: 'summary.json',
  report: 'report.html',
} as const;

/** The reading options with a notice of the rows that were skipped, to be given at the end. */
export function countingSkipped(
  reading: JudgingOptions['reading'],
  onNotice: JudgingHooks['onNotice'],
): ReadingOptions & { report(): void } {
  const faults: DataError[] = [];
  return {
    ...reading,
    onSkipped: (fault) => faults.push(fault),
    report() {
      if (faults.length === 0) return;
      onNotice?.(`${faults.length} bad rows are skipped. First: ${faults[0]!.message}`);
    },
  };
}

export const firstOf = <Row>(rows: readonly Row[], limit: number | null): readonly Row[] =>
  limit === null ? rows : rows.slice(0, limit);
