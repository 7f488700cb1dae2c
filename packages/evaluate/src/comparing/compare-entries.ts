// Differences between two entries on the same rows.
import {
  bootstrapInterval,
  type Interval,
  mcnemarTest,
  pairedShareInterval,
} from '@keel/statistics';
import {
  type Metric,
  type MetricValue,
  metricId,
  metricValue,
  normalQuantile,
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
  /**
   * 95%: Newcombe's of paired shares for yes/no outcomes; otherwise from a bootstrap over rows that
   * draws both entries' outcomes together.
   */
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
  const sure = (value: MetricValue): boolean => value === 0 || value === 1;
  const yesNo = metric.share && were.every(sure) && are.every(sure);
  const [wasRight, isRight] = [were, are].map((list) => list.map((value) => value === 1));
  return {
    ...{ task: after.task.name, metric, count: were.length },
    value: metricValue(metric, are) - metricValue(metric, were),
    interval: yesNo
      ? pairedShareInterval(wasRight!, isRight!, normalQuantile((1 + confidence) / 2))
      : bootstrapped(metric, were, are, confidence),
    changes: yesNo ? mcnemarTest(wasRight!, isRight!) : null,
  };
}

function bootstrapped(
  metric: Metric,
  were: readonly MetricValue[],
  are: readonly MetricValue[],
  confidence: number,
): Interval {
  const [from, to] = [statisticOf(metric, were), statisticOf(metric, are)];
  return bootstrapInterval(were.length, (draws) => to(draws) - from(draws), { confidence });
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
