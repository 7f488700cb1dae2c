// Verdicts of people who hold a task, and changing one's mind.
import { answerCount, endClaim, freeSlot, skippedSlot } from './claiming.ts';
import type { Writing } from './database.ts';
import { newId } from './ids.ts';
import { type Verdict, verdictFault } from './items.ts';
import { lockProject, newestGuidelines, personNamed, readSettings } from './projects.ts';
import type { Tables } from './schema.ts';
import { byPosition, drawOrder, type Order } from './sides.ts';
import { wasShown } from './suggestions.ts';
import { countTasks } from './task-counts.ts';
import { rowOf } from './verdict-rows.ts';

/** A task as another table refers to it, in a project that this transaction has locked. */
export async function lockTask(
  writing: Writing,
  task: string,
  postgres: boolean,
): Promise<Pick<Tables['tasks'], 'id' | 'kind' | 'project_id'>> {
  const found = await writing
    .selectFrom('tasks')
    .select(['id', 'kind', 'project_id'])
    .where('id', '=', task)
    .executeTakeFirst();
  if (found === undefined) throw new RangeError(`there is no task ${task}`);
  await lockProject(writing, found.project_id, postgres);
  return found;
}

async function claimOf(writing: Writing, task: string, person: string): Promise<Tables['claims']> {
  const claim = await writing
    .selectFrom('claims')
    .selectAll()
    .where('task_id', '=', task)
    .where('person_id', '=', await personNamed(writing, person))
    .executeTakeFirst();
  if (claim !== undefined) return claim;
  throw new RangeError(
    `${person} has not claimed task ${task}, or held it for too long. Claim it first`,
  );
}

/** The person has given a newer verdict than the one that the caller knows. */
export class NewerVerdictError extends RangeError {
  constructor(task: string, person: string, version: number, known: number) {
    super(
      `task ${task} has version ${version} of the verdict of ${person}, and not ${known}. Read it again with taskFor, then annotate`,
    );
    this.name = 'NewerVerdictError';
  }
}

/**
 * @param known version of the person's newest verdict that the caller knows; 0: none
 * @returns the version
 */
export async function annotateTask(
  writing: Writing,
  task: string,
  person: string,
  { known, ...verdict }: Verdict & { known?: number },
  postgres: boolean,
): Promise<number> {
  const { kind, project_id } = await lockTask(writing, task, postgres);
  const answers = await answerCount(writing, task);
  const fault = verdictFault(kind, answers, verdict, await readSettings(writing, project_id));
  if (fault !== null) throw new RangeError(`task ${task}: ${fault}`);
  const claim = await claimOf(writing, task, person);
  const order = orderOf(claim, answers);
  const last = await writing
    .selectFrom('annotations')
    .select(({ fn }) => fn.max('version').as('version'))
    .where('task_id', '=', task)
    .where('person_id', '=', claim.person_id)
    .executeTakeFirst();
  const before = last?.version ?? 0;
  if (known !== undefined && known !== before)
    throw new NewerVerdictError(task, person, before, known);
  const version = before + 1;
  if (version > 1) {
    await writing
      .updateTable('annotations')
      .set({ newest: 0 })
      .where('task_id', '=', task)
      .where('person_id', '=', claim.person_id)
      .where('newest', '=', 1)
      .execute();
  }
  const guidelines = await newestGuidelines(writing, project_id);
  await writing
    .insertInto('annotations')
    .values({
      ...{ id: newId(), project_id, task_id: task, person_id: claim.person_id, version },
      newest: 1,
      ...rowOf(byPosition(verdict, order), new Date().toISOString()),
      ...{ shown: order[0]! + 1, shown_order: JSON.stringify(order) },
      guidelines: guidelines?.version ?? null,
      after_suggestion: await wasShown(writing, task, claim.person_id),
    })
    .execute();
  const skips = verdict.choice === null;
  let { slot } = claim;
  if (skips && slot >= 0) slot = await skippedSlot(writing, task);
  else if (!skips && slot < 0) slot = await freeSlot(writing, task);
  await changeClaim(writing, claim, { slot, state: skips ? 'skipped' : 'done', reopened: 0 });
  await countTasks(writing, [task]);
  return version;
}

const orderOf = ({ shown_order }: Tables['claims'], answers: number): Order =>
  shown_order === null
    ? Array.from({ length: answers }, (_, at) => at)
    : (JSON.parse(shown_order) as number[]);

const changeClaim = (
  writing: Writing,
  { task_id, person_id }: Pick<Tables['claims'], 'task_id' | 'person_id'>,
  values: Partial<Tables['claims']>,
): Promise<unknown> =>
  writing
    .updateTable('claims')
    .set(values)
    .where('task_id', '=', task_id)
    .where('person_id', '=', person_id)
    .execute();

/** Gives a claim back without a verdict. Verdicts that the person gave before stay. */
export async function releaseTask(
  writing: Writing,
  task: string,
  person: string,
  postgres: boolean,
): Promise<void> {
  await lockTask(writing, task, postgres);
  const claim = await claimOf(writing, task, person);
  if (claim.state !== 'held')
    throw new RangeError(`${person} has finished task ${task}. Reopen it to change the verdict`);
  await endClaim(writing, claim);
}

/** Starts the time of a claim again, for a person who is still at work. */
export async function renewClaim(
  writing: Writing,
  task: string,
  person: string,
  now: Date,
  postgres: boolean,
): Promise<void> {
  await lockTask(writing, task, postgres);
  const claim = await claimOf(writing, task, person);
  if (claim.state !== 'held')
    throw new RangeError(`${person} has finished task ${task}. Reopen it to change the verdict`);
  await changeClaim(writing, claim, { claimed_at: now.toISOString() });
}

/**
 * Gives a person a finished task again. The verdict counts until there is a newer one.
 * @returns the task's project
 */
export async function reopenTask(
  writing: Writing,
  task: string,
  person: string,
  now: Date,
  postgres: boolean,
): Promise<string> {
  const { project_id } = await lockTask(writing, task, postgres);
  const claim = await claimOf(writing, task, person);
  if (claim.state === 'held') return project_id;
  // An imported verdict was not given on a page: the order is drawn when the page first shows it.
  const shown_order =
    claim.shown_order ?? JSON.stringify(drawOrder(await answerCount(writing, task), Math.random));
  await changeClaim(writing, claim, {
    ...{ state: 'held', reopened: 1, shown_order, claimed_at: now.toISOString() },
  });
  return project_id;
}

/** The task of a person's newest verdict in a project; null if the person gave none. */
export async function lastTask(
  writing: Writing,
  project: string,
  person: string,
): Promise<string | null> {
  const found = await writing
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .innerJoin('claims', (join) =>
      join
        .onRef('claims.task_id', '=', 'annotations.task_id')
        .onRef('claims.person_id', '=', 'annotations.person_id'),
    )
    .select('annotations.task_id')
    .where('annotations.project_id', '=', project)
    .where('people.name', '=', person)
    .where('claims.state', '!=', 'held')
    .orderBy('annotations.created_at', 'desc')
    .orderBy('annotations.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return found?.task_id ?? null;
}
