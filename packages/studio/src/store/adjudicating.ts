// Verdicts that settle a task.

import { lockTask } from './annotating.ts';
import { answerCount } from './claiming.ts';
import type { Writing } from './database.ts';
import { newId } from './ids.ts';
import { type Verdict, verdictFault } from './items.ts';
import { personNamed } from './projects.ts';
import { countTasks } from './task-counts.ts';
import { settledRow } from './verdict-rows.ts';

/** @returns the version */
export async function adjudicateTask(
  writing: Writing,
  task: string,
  person: string,
  verdict: Verdict,
  postgres: boolean,
): Promise<number> {
  const { kind, project_id } = await lockTask(writing, task, postgres);
  const { choice } = verdict;
  const fault =
    choice === null
      ? 'an adjudication needs a choice. Leave the task open instead'
      : verdictFault(kind, await answerCount(writing, task), verdict);
  if (fault !== null) throw new RangeError(`task ${task}: ${fault}`);
  const last = await writing
    .selectFrom('adjudications')
    .select(({ fn }) => fn.max('version').as('version'))
    .where('task_id', '=', task)
    .executeTakeFirst();
  const version = (last?.version ?? 0) + 1;
  await writing
    .insertInto('adjudications')
    .values({
      ...{ id: newId(), project_id, task_id: task, version, choice: choice! },
      ...settledRow(verdict),
      person_id: await personNamed(writing, person),
      created_at: verdict.at ?? new Date().toISOString(),
    })
    .execute();
  await countTasks(writing, [task]);
  return version;
}
