// Differences between two entries on the same rows.
import { bootstrapInterval, type Interval, mcnemarTest } from '@keel/statistics';
import {
  type Metric,
  type MetricValue,
  metricId,
  metricValue,
  statisticOf,
} from '../tasks/metrics.ts';
import type { TaskResult } from './task-result.ts';

/** A metric of an entry minus that of the baseline, over the rows that both have. */
export interface Difference {
  task: string;
  metric: Metric;
  /** Rows that both were asked. */
  count: number;
  value: number;
  /** 95%, from a bootstrap over rows that draws both entries' outcomes together. */
  interval: Interval;
  /** For yes/no outcomes: McNemar's exact test, and the rows that changed each way. */
  changes: { p: number; gained: number; lost: number } | null;
}

/** @param confidence of the interval (default: 0.95) */
export function differencesOf(
  before: readonly TaskResult[],
  after: readonly TaskResult[],
  confidence = 0.95,
): Difference[] {
  return after.flatMap((result) => {
    const base = before.find(({ task }) => task.name === result.task.name);
    if (base === undefined) return [];
    return result.task.metrics.flatMap(
      (metric) => differenceOf(metric, base, result, confidence) ?? [],
    );
  });
}

function differenceOf(
  metric: Metric,
  before: TaskResult,
  after: TaskResult,
  confidence: number,
): Difference | null {
  const [were, are] = pairedValues(metricId(metric), before, after);
  if (were.length === 0) return null;
  const [from, to] = [statisticOf(metric, were), statisticOf(metric, are)];
  const same = were.every((value, at) => JSON.stringify(value) === JSON.stringify(are[at]));
  const sure = (value: MetricValue): value is number => value === 0 || value === 1;
  return {
    ...{ task: after.task.name, metric, count: were.length },
    value: metricValue(metric, are) - metricValue(metric, were),
    interval: same
      ? [0, 0]
      : bootstrapInterval(were.length, (draws) => to(draws) - from(draws), { confidence }),
    changes:
      metric.share && were.every(sure) && are.every(sure)
        ? mcnemarTest(
            were.map((value) => value === 1),
            are.map((value) => value === 1),
          )
        : null,
  };
}

/** Values of the rows that have one under both. */
function pairedValues(
  id: string,
  before: TaskResult,
  after: TaskResult,
): [MetricValue[], MetricValue[]] {
  const rows = new Map(before.items.map(({ doc }, at) => [doc.id, before.outcomes[at]!]));
  const [were, are]: [MetricValue[], MetricValue[]] = [[], []];
  after.items.forEach(({ doc }, at) => {
    const [was, is] = [
      rows.get(doc.id)?.values[id] ?? null,
      after.outcomes[at]!.values[id] ?? null,
    ];
    if (was === null || is === null) return;
    were.push(was);
    are.push(is);
  });
  return [were, are];
}
