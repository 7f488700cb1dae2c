// Describes a run's rows before its first step, and records the description in the run folder.
import { examineRows } from '../checking/examine-rows.ts';
import { type RunDataFacts, saveRunDataFacts, type UsedRows } from '../checking/run-data-facts.ts';
import { dataWarnings } from '../checking/warnings.ts';
import type { RunData } from './run-data.ts';
import type { AnySource } from './tokenised-source.ts';
import type { TrainingEvent } from './training-event.ts';

/** More rows than these would take longer than a few seconds to read. */
const EXAMINED_ROWS = 50_000;

export interface SummarisedRun {
  data: RunData;
  source: AnySource;
  evaluation: AnySource | null;
  /** The run's folder; null in a dry run. */
  path: string | null;
  onEvent(event: TrainingEvent): void;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the rows once, reports an event of type `data` and writes `data.json`. A dry run writes no
 * file. It does not affect what the run computes.
 */
export async function summariseData(run: SummarisedRun): Promise<void> {
  const { data, source, evaluation, path, onEvent, signal } = run;
  if (signal?.aborted) return;
  const limit = EXAMINED_ROWS;
  const found = await examineRows(data.rows, data.heldOut, { near: false, limit, signal });
  if (signal?.aborted) return;
  const facts: RunDataFacts = {
    ...found,
    use: {
      training: usedOf(source, data.rows.badRowCount),
      heldOut: evaluation && usedOf(evaluation, data.heldOut!.badRowCount),
    },
    warnings: dataWarnings(found),
  };
  onEvent({ type: 'data', facts, path: path && saveRunDataFacts(path, facts) });
}

const usedOf = ({ truncated, tooLong, badRows }: AnySource, unread: number): UsedRows => ({
  cut: truncated.size,
  tooLong: tooLong.size,
  bad: badRows.size + unread,
});
