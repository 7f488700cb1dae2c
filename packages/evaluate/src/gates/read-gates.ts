// A file of gates: conditions on metrics that an entry has to meet.
import { ConfigError, nearest } from '@keel/align/config';
import { listed } from '@keel/align/internal';
import { checkSpec } from '../specs/read-spec.ts';
import { type Metric, metricId } from '../tasks/metrics.ts';
import type { Task } from '../tasks/task.ts';
import { gatesSchema, type WrittenGate } from './gates-schema.ts';

const conditions = ['at_least', 'at_most', 'no_worse_than', 'better_by'] as const;
export type Condition = (typeof conditions)[number];

export interface GateSpec {
  /** As in the file. */
  written: WrittenGate;
  place: string;
  task: string;
  metric: Metric;
  condition: Condition;
  bound: number;
  decidedBy: 'value' | 'interval';
}

/**
 * Reads gates and looks up their metrics and entries.
 * @throws ConfigError naming file, line and column, and the metrics or entries that exist
 */
export function readGates(
  path: string,
  tasks: readonly Task[],
  entries: readonly { name: string }[],
): GateSpec[] {
  const what = 'gates, with "gates:" and a list of metrics in it';
  const { value, placeOf } = checkSpec(path, gatesSchema, what);
  const metrics = new Map<string, { task: Task; metric: Metric }>(
    tasks.flatMap((task) =>
      task.metrics.map((metric) => [`${task.name}/${metricId(metric)}`, { task, metric }] as const),
    ),
  );
  const problems: string[] = [];
  const gates = value.gates.flatMap((written, at): GateSpec[] => {
    const place = (key: string): string => `${placeOf(['gates', at, key])}: ${key}`;
    const found = metrics.get(written.metric);
    if (found === undefined) {
      problems.push(
        `${place('metric')}: ${unknown('metric', written.metric, [...metrics.keys()])}`,
      );
    }
    const names = entries.map(({ name }) => name);
    if (written.entry !== undefined && !names.includes(written.entry)) {
      problems.push(`${place('entry')}: ${unknown('entry', written.entry, names)}`);
    }
    const given = conditions.filter((one) => written[one] !== undefined);
    const [condition] = given;
    if (condition === undefined || given.length > 1) {
      problems.push(
        `${placeOf(['gates', at])}: expected one of ${conditions.join(', ')}, found ${given.join(' and ') || 'none'}`,
      );
      return [];
    }
    const compares = condition === 'no_worse_than' || condition === 'better_by';
    if (compares && entries.length < 2) {
      problems.push(
        `${place(condition)}: needs a baseline, but only ${names[0]} is evaluated. Pass two entries, such as --adapter base,runs/first, or --run`,
      );
    }
    if (found === undefined) return [];
    const decidedBy = written.decided_by ?? (compares ? 'interval' : 'value');
    return [
      {
        ...{ written, place: placeOf(['gates', at]), task: found.task.name },
        ...{ metric: found.metric, condition, bound: written[condition]!, decidedBy },
      },
    ];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return gates;
}

function unknown(what: string, found: string, known: readonly string[]): string {
  const near = nearest(found, known);
  const hint = near === null ? '' : `did you mean "${near}"? `;
  return `no ${what} "${found}"; ${hint}${listed('Use one of', known)}`;
}
