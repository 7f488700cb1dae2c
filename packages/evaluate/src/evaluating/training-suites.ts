// Suites that a training run measures at its evaluations.
import { dirname } from 'node:path';
import type { MeasureSuites } from '@keel/align';
import { openSuiteTask } from '../suites/open-suite-task.ts';
import { readSuite } from '../suites/read-suite.ts';
import { metricId, metricValue } from '../tasks/metrics.ts';
import type { Outcome, Task } from '../tasks/task.ts';

/**
 * Opens suites for `evalSuites`, the option of every training verb.
 * @param names files, or names of suites that come with Keel
 * @returns what measures them: all metrics, as `task/metric`
 * @throws ConfigError, DataError as `planEvaluation`
 */
export async function openTrainingSuites(names: readonly string[]): Promise<MeasureSuites> {
  const tasks: Task[] = [];
  for (const name of names) {
    const { path, tasks: own } = readSuite(name);
    const how = { limit: null, unsafeCode: false, folder: dirname(path) };
    for (const task of own) {
      tasks.push(await openSuiteTask(task, { ...how, precision: 'auto', device: 'auto' }));
    }
  }
  return async (model, role, signal = new AbortController().signal) => {
    const reference = role === 'reference' ? null : 'reference';
    const subject = { name: role, model, role, reference };
    const found: Record<string, number> = {};
    for (const task of tasks) {
      const outcomes: Outcome[] = [];
      await task.run(task.items, subject, {
        signal,
        done: (_, outcome) => outcomes.push(outcome),
      });
      for (const metric of task.metrics) {
        const values = outcomes.flatMap((outcome) => outcome.values[metricId(metric)] ?? []);
        const name = `${task.name}/${metricId(metric)}`;
        if (values.length > 0) found[name] = metricValue(metric, values);
      }
    }
    return found;
  };
}
