// Opens a suite's task: reads its rows, checks them and prepares what the model is asked.

import { type Doc, type Docs, openDocs } from '../rows/docs.ts';
import type { Task } from '../tasks/task.ts';
import { openChoices } from './open-choices.ts';
import { openPerplexity } from './open-perplexity.ts';
import type { SuiteTask } from './read-suite.ts';
import type { TaskSpec } from './suite-schema.ts';

export interface OpenTaskOptions {
  /** Whether code in answers runs without a sandbox. */
  unsafeCode: boolean;
  /** Only the first rows; null: all, or the task's own limit. */
  limit: number | null;
}

/**
 * @throws DataError naming file and row of a row that cannot be used; ConfigError or Error naming
 *   the task's key that is wrong
 */
export async function openSuiteTask(
  { spec, place }: SuiteTask,
  options: OpenTaskOptions,
): Promise<Task> {
  const all = await openDocs(spec.data);
  const limit = Math.min(options.limit ?? Infinity, spec.limit ?? Infinity);
  const docs = all.docs.slice(0, limit);
  return {
    ...{ name: spec.name, type: spec.type, description: spec.description },
    ...{ config: spec, originalCount: all.docs.length, shots: 0, version: null },
    ...(await parts(spec, place, all, docs)),
  };
}

async function parts(spec: TaskSpec, place: string, all: Docs, docs: readonly Doc[]) {
  switch (spec.type) {
    case 'multiple-choice':
      return openChoices(spec, place, all, docs);
    case 'perplexity':
      return openPerplexity(spec, place, all, docs);
    default:
      throw new Error(`${place}: unsupported`);
  }
}
