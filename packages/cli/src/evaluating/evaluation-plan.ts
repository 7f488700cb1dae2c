import type { EvaluationOptions, EvaluationPlan } from '@keel/evaluate';
import { sayDryRun } from '../work-plan.ts';

/** Prints what `keel evaluate` would ask, for --dry-run. */
export function sayEvaluationPlan(
  { tasks, gates }: EvaluationPlan,
  { entries, output }: EvaluationOptions,
  json: boolean,
): void {
  const rows = tasks.reduce((sum, { items }) => sum + items.length, 0);
  const parts = {
    entries: {
      text: entries.map(({ name }) => name).join(', '),
      data: entries,
    },
    tasks: {
      text: tasks
        .map(({ name, type, items }) => `${name} (${type}, ${items.length} rows)`)
        .join(', '),
      data: tasks.map(({ name, type, items, metrics }) => ({
        ...{ name, type, rows: items.length },
        metrics: metrics.map((metric) => metric.name),
      })),
    },
    rows: {
      text: `${rows} for each of ${entries.length}`,
      data: { each: rows, all: rows * entries.length },
    },
    gates: { text: gates.length === 0 ? 'none' : String(gates.length), data: gates.length },
    output: { text: output, data: output },
  };
  sayDryRun({ verb: 'evaluate', model: null, parts }, json);
}
