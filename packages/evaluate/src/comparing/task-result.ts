// What a task found under one model: its metrics over all rows.
import { type Estimate, estimateOf, type Metric, metricId } from '../tasks/metrics.ts';
import type { Item, Outcome, Task } from '../tasks/task.ts';

/** What a model did on one task. */
export interface TaskResult {
  task: Task;
  items: readonly Item[];
  /** In the order of the items. */
  outcomes: readonly Outcome[];
  /** By the metric's id; metrics that apply to no row are absent. */
  estimates: ReadonlyMap<string, { metric: Metric; estimate: Estimate }>;
  /** Rows that could not be asked, and rows whose prompt was cut. */
  skipped: number;
  truncated: number;
  /** Rows by label, for tasks with labels. */
  labels: Readonly<Record<string, number>>;
  /** The metrics by group of rows, such as RewardBench's subsets. */
  groups: ReadonlyMap<string, ReadonlyMap<string, { metric: Metric; estimate: Estimate }>>;
}

export function taskResult(task: Task, outcomes: readonly Outcome[]): TaskResult {
  const counted = outcomes.filter(({ skipped }) => skipped === undefined);
  const labels: Record<string, number> = {};
  for (const { label } of counted) {
    if (label !== undefined) labels[label] = (labels[label] ?? 0) + 1;
  }
  const names = [...new Set(counted.flatMap(({ group }) => group ?? []))];
  const groups = names.length < 2 ? [] : names;
  return {
    ...{ task, outcomes, labels, items: task.items },
    estimates: estimatesOf(task, counted),
    skipped: outcomes.length - counted.length,
    truncated: counted.filter(({ truncated }) => truncated === true).length,
    groups: new Map(
      groups.map((name) => [
        name,
        estimatesOf(
          task,
          counted.filter(({ group }) => group === name),
        ),
      ]),
    ),
  };
}

function estimatesOf({ metrics }: Task, outcomes: readonly Outcome[]): TaskResult['estimates'] {
  const found = new Map<string, { metric: Metric; estimate: Estimate }>();
  for (const metric of metrics) {
    const id = metricId(metric);
    const values = outcomes.flatMap((outcome) => outcome.values[id] ?? []);
    const estimate = estimateOf(metric, values);
    if (estimate !== null) found.set(id, { metric, estimate });
  }
  return found;
}
