// `keel evaluate`: opens tasks, runs them on every entry, compares, checks gates, writes results.
import { dirname, join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { claimFolder, writeFileAtomic } from '@keel/align/internal';
import { differencesOf } from '../comparing/compare-entries.ts';
import type { TaskResult } from '../comparing/task-result.ts';
import { checkGates } from '../gates/check-gates.ts';
import { readGates } from '../gates/read-gates.ts';
import { openLmEvalTask } from '../lm-eval/open-lm-eval-task.ts';
import { readLmEvalTasks } from '../lm-eval/read-task.ts';
import { openSuiteTask } from '../suites/open-suite-task.ts';
import { readSuite } from '../suites/read-suite.ts';
import type { Task } from '../tasks/task.ts';
import { type EvaluationEntry, hasReference } from './entries.ts';
import type {
  EvaluatedEntry,
  Evaluation,
  EvaluationOptions,
  EvaluationPlan,
} from './evaluation.ts';
import { writeLmEvalFiles } from './lm-eval-files.ts';
import { openEntries } from './open-entry.ts';
import { writeEvaluationReport } from './report.ts';
import { type EvaluationProgress, evaluateSubject, subjectFolder } from './run-evaluation.ts';
import { summaryOf } from './summary.ts';

/** What an evaluation reports, and how it is stopped. */
export interface EvaluationHooks {
  signal?: AbortSignal;
  onProgress?(progress: EvaluationProgress): void;
  onNotice?(text: string): void;
}

/**
 * Reads suites, tasks and gates with all their rows.
 * @throws ConfigError, DataError naming file and row, Error for what cannot be evaluated
 */
export async function planEvaluation(options: EvaluationOptions): Promise<EvaluationPlan> {
  const tasks: Task[] = [];
  const groups: EvaluationPlan['groups'][number][] = [];
  const { limit, unsafeCode, precision, device } = options;
  for (const name of options.suites) {
    const suite = readSuite(name);
    const own = {
      ...{ limit, unsafeCode, precision, device },
      hasReference: options.entries.some(hasReference),
      folder: dirname(suite.path),
    };
    for (const task of suite.tasks) tasks.push(await openSuiteTask(task, own));
  }
  for (const path of options.tasks) {
    const read = readLmEvalTasks(path);
    groups.push(...read.groups);
    for (const task of read.tasks) tasks.push(await openLmEvalTask(task, limit));
  }
  if (tasks.length === 0) throw new ConfigError(['Pass a suite with --suite, or --task']);
  const twice = tasks.find(({ name }, at) => tasks.findIndex((one) => one.name === name) !== at);
  if (twice !== undefined) {
    throw new ConfigError([
      `the task "${twice.name}" is in two of the suites and task files, and its results have this name. Evaluate one after the other, with an --output for each, or rename one`,
    ]);
  }
  const gates = options.gates === null ? [] : readGates(options.gates, tasks, options.entries);
  return { tasks, groups, gates };
}

/**
 * Evaluates every entry and writes what was found. Finished rows of an earlier call are not asked
 * again.
 * @returns null if it was interrupted; the same call resumes
 */
export async function runEvaluation(
  options: EvaluationOptions,
  { tasks, groups, gates }: EvaluationPlan,
  { signal = new AbortController().signal, onProgress, onNotice }: EvaluationHooks = {},
): Promise<Evaluation | null> {
  const { output, entries } = options;
  const started = new Date();
  using _ = claimFolder(output, onNotice);
  const perEntry = tasks.reduce((sum, { items }) => sum + items.length, 0);
  const total = perEntry * entries.length;
  let done = 0;
  const found: Omit<EvaluatedEntry, 'differences'>[] = [];
  try {
    for await (const { entry, subject, identity } of openEntries(entries, options)) {
      const began = new Date();
      const results = await evaluateSubject(tasks, subject, identity, output, {
        signal,
        onItems: (task, finished, working) => {
          done += finished;
          const parts = { entry: entry.name, task: task.name, total };
          onProgress?.({ ...parts, done: Math.min(total, done + working) });
        },
      });
      const run = { subject, results, groups, limit: options.limit };
      const folder = subjectFolder(output, entry.name);
      const path = writeLmEvalFiles(folder, { ...run, started: began, ended: new Date() });
      found.push({ entry, results, path });
      for (const text of noticesOf(entry, results)) onNotice?.(text);
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
  const [baseline] = found;
  const evaluated = found.map((one) => ({
    ...one,
    differences: one === baseline ? [] : differencesOf(baseline!.results, one.results),
  }));
  const measured = {
    entries: evaluated,
    gates: checkGates(gates, evaluated),
    seconds: (Date.now() - started.getTime()) / 1000,
  };
  const evaluation: Evaluation = {
    ...measured,
    summary: join(output, 'summary.json'),
    report: join(output, 'report.html'),
    json: summaryOf(measured, options),
  };
  writeFileAtomic(evaluation.summary, `${JSON.stringify(evaluation.json, null, 2)}\n`);
  writeEvaluationReport(evaluation, options);
  return evaluation;
}

function noticesOf({ name }: EvaluationEntry, results: readonly TaskResult[]): string[] {
  return results.flatMap(({ task, skipped, truncated, outcomes }) => [
    ...(truncated === 0
      ? []
      : [
          `${name}, ${task.name}: ${truncated} of ${outcomes.length} prompts are longer than the model allows and were cut from the left, as lm-eval does`,
        ]),
    ...(skipped === 0
      ? []
      : [
          `${name}, ${task.name}: ${skipped} of ${outcomes.length} rows were skipped and count in no number: ${outcomes.find((one) => one.skipped !== undefined)!.skipped}`,
        ]),
  ]);
}
