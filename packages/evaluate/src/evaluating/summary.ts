// summary.json: everything that an evaluation found, for programs.
import { basename, join, relative } from 'node:path';
import type { Difference } from '../comparing/compare-entries.ts';
import type { TaskResult } from '../comparing/task-result.ts';
import type { EvaluationFile } from '../result-files/evaluation-file.ts';
import type { EvaluatedEntry, Evaluation, EvaluationOptions } from './evaluation.ts';

/** Keys are snake_case, as in every file of Keel. */
export function summaryOf(
  { entries, gates, seconds }: Pick<Evaluation, 'entries' | 'gates' | 'seconds'>,
  { suites, tasks, limit, output }: EvaluationOptions,
): EvaluationFile {
  const [baseline] = entries;
  return {
    suites,
    task_files: tasks,
    limit,
    seconds,
    baseline: entries.length > 1 ? baseline!.entry.name : null,
    entries: entries.map((one) => entrySummary(one, output)),
    gates: gates.map(({ gate, entry, passed, measured, bound, short_by }) => ({
      ...gate.written,
      ...{ entry, passed, measured, bound, short_by },
    })),
    passed: gates.length === 0 ? null : gates.every(({ passed }) => passed),
  };
}

function entrySummary({ entry, results, path, differences }: EvaluatedEntry, output: string) {
  return {
    ...entry,
    results: relative(output, path) || join('.', basename(path)),
    tasks: Object.fromEntries(results.map((result) => [result.task.name, taskSummary(result)])),
    differences: differences.map(differenceSummary),
  };
}

function taskSummary(result: TaskResult) {
  const { task, outcomes, skipped, truncated, labels, groups } = result;
  return {
    type: task.type,
    description: task.description,
    rows: outcomes.length,
    skipped,
    truncated,
    metrics: metricsSummary(result.estimates),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(groups.size > 0 && {
      groups: Object.fromEntries(
        [...groups].map(([name, estimates]) => [name, metricsSummary(estimates)]),
      ),
    }),
  };
}

const metricsSummary = (estimates: TaskResult['estimates']) =>
  Object.fromEntries(
    [...estimates].map(([id, { metric, estimate }]) => [
      id,
      {
        value: estimate.value,
        interval: estimate.interval,
        standard_error: estimate.standardError,
        count: estimate.count,
        higher_is_better: metric.higherIsBetter,
      },
    ]),
  );

const differenceSummary = ({ metric, ...rest }: Difference) => ({
  ...{ task: rest.task, metric: metric.name, filter: metric.filter },
  ...{ rows: rest.count, value: rest.value, interval: rest.interval, changes: rest.changes },
});
