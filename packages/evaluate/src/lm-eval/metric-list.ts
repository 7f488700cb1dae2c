import { ConfigError } from '@keel/align/config';
import type { Metric } from '../tasks/metrics.ts';
import type { LmEvalTask } from './task-schema.ts';

/**
 * The metrics of a task's metric_list.
 * @throws ConfigError for a metric that this output_type does not have
 */
export function metricsOf(
  { metric_list: list, output_type: type }: LmEvalTask,
  path: string,
  known: Readonly<Record<string, Metric>>,
  usual: readonly string[],
): Metric[] {
  const names = list?.map(({ metric }) => metric) ?? usual;
  return names.map((name) => {
    const metric = known[name];
    if (metric !== undefined) return metric;
    const has = Object.keys(known).join(', ');
    throw new ConfigError([`${path}: metric_list: ${type} has no metric "${name}". It has ${has}`]);
  });
}
