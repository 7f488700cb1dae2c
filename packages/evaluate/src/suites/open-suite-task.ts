// Opens a suite's task: reads its rows, checks them and prepares what the model is asked.

import { plainNumbers } from '@keel/model/exact-json';
import { type Doc, type Docs, openDocs } from '../rows/docs.ts';
import type { Task } from '../tasks/task.ts';
import { openChoices } from './open-choices.ts';
import { openCode } from './open-code.ts';
import { openGeneration } from './open-generation.ts';
import { openPerplexity } from './open-perplexity.ts';
import { openPreferences } from './open-preferences.ts';
import { openProbes } from './open-probes.ts';
import { openWinRate } from './open-win-rate.ts';
import type { SuiteTask } from './read-suite.ts';
import type { TaskSpec } from './suite-schema.ts';
import type { OpenTaskOptions, TaskParts } from './task-parts.ts';

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
  if (spec.group !== undefined && !all.columns.has(spec.group)) {
    throw new Error(`${place}: group: no row has a column "${spec.group}"`);
  }
  const found = await parts(spec, place, all, docs, options);
  return {
    ...{ name: spec.name, type: spec.type, description: spec.description },
    ...{ config: spec, originalCount: all.docs.length, shots: 0, version: null },
    ...found,
    ...(spec.group !== undefined && { run: grouped(found.run, spec.group) }),
  };
}

async function parts(
  spec: TaskSpec,
  place: string,
  all: Docs,
  docs: readonly Doc[],
  options: OpenTaskOptions,
): Promise<TaskParts> {
  switch (spec.type) {
    case 'multiple-choice':
      return openChoices(spec, place, all, docs);
    case 'perplexity':
      return openPerplexity(spec, place, all, docs);
    case 'generation':
    case 'refusals':
    case 'instructions':
      return openGeneration(spec, place, all, docs, options);
    case 'probes':
      return openProbes(spec, place, all, docs, options);
    case 'code':
      return openCode(spec, place, all, docs, options);
    case 'preference-accuracy':
      return openPreferences(spec, place, docs, options);
    case 'win-rate':
      return openWinRate(spec, place, all, docs, options);
  }
}

/** Outcomes with the group of their rows, if the task names a column for it. */
function grouped(run: Task['run'], column: string): Task['run'] {
  return (items, subject, hooks) =>
    run(items, subject, {
      ...hooks,
      done: (item, outcome) => {
        const group = plainNumbers(item.doc.row[column]);
        const named = group === undefined || group === null ? {} : { group: String(group) };
        hooks.done(item, { ...named, ...outcome });
      },
    });
}
