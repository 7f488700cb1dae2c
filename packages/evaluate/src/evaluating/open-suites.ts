// Suites that a training run measures at its evaluations. Processes that train together share the
// items of each task.
import { dirname } from 'node:path';
import type { OpenSuites, SuiteMetric } from '@keel/align';
import { inShares, shareCount } from '@keel/align/internal';
import { taskResult } from '../comparing/task-result.ts';
import { openSuiteTask } from '../suites/open-suite-task.ts';
import { readSuite } from '../suites/read-suite.ts';
import type { Item, Outcome, Subject, Task } from '../tasks/task.ts';

/**
 * For the hook `openSuites` of a training run.
 * @throws ConfigError, DataError naming file and row, for what cannot be evaluated
 */
export const openSuites: OpenSuites = async (suites, { model, role }) => {
  const tasks: Task[] = [];
  // Full fine-tuning changes the base model itself, so it has no reference.
  const reference = role === 'reference' ? null : 'reference';
  for (const name of suites) {
    const suite = readSuite(name);
    const folder = dirname(suite.path);
    const own = {
      limit: null,
      unsafeCode: false,
      precision: 'auto',
      device: 'auto',
      hasReference: reference !== null,
      folder,
    } as const;
    for (const task of suite.tasks) tasks.push(await openSuiteTask(task, own));
  }
  const subject: Subject = { name: 'policy', model, role, reference };
  /** Outcomes of all items, in their order. */
  const run = async (task: Task, signal: AbortSignal): Promise<Outcome[]> => {
    const count = shareCount();
    // In turns, since rows that are next to each other may all be long.
    const shares = Array.from({ length: count }, (_, rank) => {
      const own = task.items.filter((_, at) => at % count === rank);
      return own.length === 0 ? [] : [own];
    });
    const outcomes = await inShares(shares, async (items) => {
      const found: [number | string, Outcome][] = [];
      const done = ({ doc }: Item, outcome: Outcome): number => found.push([doc.id, outcome]);
      await task.run(items, subject, { signal, done });
      return found;
    });
    const byId = new Map(outcomes.flat());
    return task.items.map(({ doc }) => byId.get(doc.id)!);
  };
  return {
    async measure(signal) {
      const found: Record<string, SuiteMetric> = {};
      for (const task of tasks) {
        signal.throwIfAborted();
        const inOrder = await run(task, signal);
        for (const [id, { metric, estimate }] of taskResult(task, inOrder).estimates) {
          const { value, interval } = estimate;
          found[`${task.name}/${id}`] = {
            ...{ value, interval, unit: metric.share ? 'share' : 'number' },
            better: metric.higherIsBetter ? 'higher' : 'lower',
          };
        }
      }
      return found;
    },
  };
};

/** Reads suites without opening their tasks. @throws ConfigError naming file and place */
export function checkSuites(suites: readonly string[]): void {
  for (const name of suites) readSuite(name);
}
