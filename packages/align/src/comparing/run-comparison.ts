// `keel compare`: runs a comparison's entries one after the other and measures each.
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { removePartials, writeFileAtomic } from '../files/atomic-write.ts';
import { stageFolder } from '../recipes/recipe.ts';
import { runStage } from '../recipes/run-stage.ts';
import { StageError } from '../recipes/stage-error.ts';
import { readStageRecords, type StageRecords } from '../recipes/stage-records.ts';
import { type StageState, stateOfStage } from '../recipes/stage-state.ts';
import { claimFolder } from '../runs/claim-folder.ts';
import { MetricsLog } from '../runs/metrics.ts';
import { recorded } from '../runs/run-record.ts';
import { type NoticeEvent, noticeEvent } from '../training/run-data.ts';
import { type OpenSuites, openerOf } from '../training/run-suites.ts';
import type { RunHooks, RunResult } from '../training/run-training.ts';
import type { CompareEntry, Comparison } from './comparison.ts';
import { type ComparisonResults, resultsOf } from './comparison-results.ts';
import type { MeasuredPart } from './held-out.ts';
import type { Measured } from './measured.ts';
import { Measuring, REFERENCE } from './measuring.ts';
import { type SuiteNumbers, suiteNumbersOf } from './suite-numbers.ts';
import { type EntryNumbers, itemsOf, type MeasuredEntry, numbersOf } from './summarise.ts';
import { writeResults } from './write-results.ts';

/** An event while a comparison runs. */
export type CompareEvent =
  | { type: 'entry'; entry: CompareEntry; state: StageState }
  /** An event of the entry's own run. */
  | { type: 'run'; entry: CompareEntry; event: Parameters<NonNullable<RunHooks['onEvent']>>[0] }
  | { type: 'ended'; entry: CompareEntry; result: RunResult; seconds: number }
  /** Progress of a measurement; `entry` is null for the reference. */
  | {
      type: 'measuring';
      entry: CompareEntry | null;
      part: MeasuredPart;
      done: number;
      total: number;
    }
  | {
      type: 'measured';
      entry: CompareEntry | null;
      numbers: EntryNumbers;
      suites: SuiteNumbers;
      /**
       * Until all entries are done, estimated from those that started in this call; null before the
       * first has ended.
       */
      secondsLeft: number | null;
    }
  | NoticeEvent;

export interface CompareHooks {
  onEvent?(event: CompareEvent): void;
  /** Finishes the current step, saves a checkpoint and stops. */
  signal?: AbortSignal;
  /** Run every entry from the start. */
  overwrite?: boolean;
  /** The verb, and the words after `keel` that resume it, for the folder's run.json. */
  command?: { verb: string; words: string[] };
  /** Opens `--eval-suites`: @keel/evaluate has it. */
  openSuites?: OpenSuites;
}

export interface CompareResult {
  /** The comparison's folder. */
  path: string;
  /** Entries that were trained in this call. */
  ran: string[];
  /**
   * Answers whose log-probability under the reference was computed in this call rather than cached.
   */
  referenceAnswers: number;
  /** The results; null if a signal stopped it. */
  results: ComparisonResults | null;
  /** Where a signal stopped it; null if everything is done. */
  interrupted: { entry: string; step: number } | null;
}

/**
 * Trains and measures what is still missing. Each result is saved when it is ready, so that the
 * next call resumes.
 * @throws StageError if an entry fails
 * @throws Error if the folder contains something else, or another process is running the comparison
 *   in it
 */
export async function runComparison(
  comparison: Comparison,
  hooks: CompareHooks = {},
): Promise<CompareResult> {
  const { output, text, options } = comparison;
  const notice = (text: string): void => hooks.onEvent?.(noticeEvent(text));
  using _ = claimFolder(output, notice);
  await removePartials(output);
  writeFileAtomic(join(output, 'compare.yaml'), text);
  if (options.threads !== null) setThreads(options.threads);
  const { openSuites } = hooks;
  // Before anything is trained.
  if (options.evalSuites !== null) openerOf(openSuites);
  await using measuring = await Measuring.of(options, { notice, openSuites });
  return await recorded(output, hooks.command, () => runEntries(comparison, measuring, hooks));
}

async function runEntries(
  comparison: Comparison,
  measuring: Measuring,
  { onEvent = () => {}, signal, overwrite = false, openSuites }: CompareHooks,
): Promise<CompareResult> {
  const { output, stages } = comparison;
  const records: StageRecords = overwrite ? {} : readStageRecords(output);
  const ran: string[] = [];
  const stopped = (entry: string, step: number): CompareResult => ({
    ...{ path: output, ran, results: null, interrupted: { entry, step } },
    referenceAnswers: measuring.references.computed,
  });
  const measure = (entry: CompareEntry | null, sha256: string | null): Promise<Measured> =>
    measuring.measure(entry?.name ?? REFERENCE, entry, sha256, {
      signal,
      onProgress: (part, done, total) => onEvent({ type: 'measuring', entry, part, done, total }),
    });
  const report = (entry: CompareEntry | null, own: Measured, of: Measured, left: number | null) =>
    onEvent({
      ...{ type: 'measured', entry, secondsLeft: left },
      numbers: numbersOf([itemsOf(own, of)]),
      suites: suiteNumbersOf([own]),
    });

  let reference = measuring.known(REFERENCE, null);
  if (reference === null) {
    try {
      reference = await measure(null, null);
    } catch (error) {
      if (signal?.aborted) return stopped(stages[0]!.name, 0);
      throw error;
    }
    report(null, reference, reference, null);
  }
  const measured: MeasuredEntry[] = [];
  const took: number[] = [];
  for (const [at, entry] of stages.entries()) {
    const { name } = entry;
    try {
      const started = performance.now();
      const state = await stateOfStage(entry, {
        ...{ output, records, results: new Map(), overwrite },
      });
      if (signal?.aborted) return stopped(name, state.step);
      onEvent({ type: 'entry', entry, state });
      if (state.status !== 'done') {
        const base = await measuring.sharedBase();
        // An adapter that the entries start from is already loaded on the base, and each trains its
        // own copy.
        const { result, seconds } = await runStage(comparison, entry, {
          ...{ state, records, signal },
          shared: { ...(base && { base }), references: measuring.references },
          onEvent: (event) => onEvent({ type: 'run', entry, event }),
          ...(openSuites && { openSuites }),
        });
        ran.push(name);
        onEvent({ type: 'ended', entry, result, seconds });
        if (result.interrupted) return stopped(name, result.step);
      }
      const record = records[name]!;
      const { sha256, step } = record.result!;
      let own = measuring.known(name, sha256);
      if (own === null) {
        try {
          own = await measure(entry, sha256);
        } catch (error) {
          if (signal?.aborted) return stopped(name, step);
          throw error;
        }
        // Only entries that started in this call show how long an entry takes.
        if (state.status === 'run') took.push((performance.now() - started) / 1000);
        const mean = took.reduce((sum, one) => sum + one, 0) / took.length;
        report(entry, own, reference, took.length === 0 ? null : mean * (stages.length - 1 - at));
      }
      const { seconds } = record;
      measured.push({ entry, measured: own, tokens: trainedTokens(output, name), seconds });
      // After each entry, so that a comparison that takes hours has a table before it ends.
      const found = resultsOf(comparison, measured, reference);
      if (at === stages.length - 1) {
        await writeResults(comparison, found);
        const referenceAnswers = measuring.references.computed;
        return { path: output, ran, referenceAnswers, results: found, interrupted: null };
      }
      if (state.status !== 'done') await writeResults(comparison, found);
    } catch (error) {
      throw new StageError(entry, stages.length, error, 'entry');
    }
  }
  throw new Error('a comparison has at least one entry');
}

/** As counted by the run's last step. */
function trainedTokens(output: string, name: string): number {
  const rows = MetricsLog.read(join(stageFolder(output, name), 'metrics.jsonl'));
  return rows.findLast(({ num_tokens }) => num_tokens !== undefined)?.num_tokens ?? 0;
}
