// Who annotates what next, and in which order of the answers.
import { sql } from 'kysely';
import type { Writing } from './database.ts';
import { isGoldTurn } from './gold-turns.ts';
import { keyOf } from './ids.ts';
import { readSettings } from './projects.ts';
import type { ClaimReason, Tables } from './schema.ts';
import { drawOrder } from './sides.ts';
import { countTasks } from './task-counts.ts';

export interface ClaimOptions {
  /** Claims that are older than this, in seconds, are free again (default: 1800). */
  holdFor?: number;
  /** Default: now. */
  now?: Date;
  /** Tasks to pass over, even if the person holds them: a page that shows one asks for the next. */
  besides?: readonly string[];
  /** Draws in [0, 1) that decide the order of answers and tasks (default: Math.random). */
  random?(): number;
}

/**
 * Gives a person a slot of a task that fewer people have than are to annotate it. A person who
 * holds a slot gets the same again, for example after a crash: first a reopened one. The project
 * is locked.
 * @param person the person's id
 * @returns the task; null if the person has nothing left to do
 */
export async function claimTask(
  writing: Writing,
  project: string,
  person: string,
  { holdFor = 1800, now = new Date(), besides = [], random = Math.random }: ClaimOptions,
): Promise<string | null> {
  await freeOldClaims(writing, project, new Date(now.getTime() - 1000 * holdFor));
  const held = await writing
    .selectFrom('claims')
    .select('task_id')
    .where('person_id', '=', person)
    .where('project_id', '=', project)
    .where('state', '=', 'held')
    .orderBy('reopened', 'desc')
    .orderBy('claimed_at')
    .execute();
  const again = held.find(({ task_id }) => !besides.includes(task_id));
  if (again !== undefined) return again.task_id;
  const chosen = await chooseTask(writing, { project, person }, besides, random);
  if (chosen === null) return null;
  const { id, reason, priority, priority_source } = chosen;
  const answers = await answerCount(writing, id);
  const byPriority = reason === 'priority';
  await writing
    .insertInto('claims')
    .values({
      ...{ task_id: id, project_id: project, person_id: person, state: 'held' as const },
      ...{ slot: await freeSlot(writing, id), claimed_at: now.toISOString(), reason, reopened: 0 },
      shown_order: JSON.stringify(drawOrder(answers, random)),
      priority: byPriority ? priority : null,
      priority_source: byPriority ? priority_source : null,
    })
    .execute();
  await countTasks(writing, [id]);
  return id;
}

/** The number of a task's answers. */
export async function answerCount(writing: Writing, task: string): Promise<number> {
  const places = await writing
    .selectFrom('task_answers')
    .select('position')
    .where('task_id', '=', task)
    .execute();
  return places.length;
}

/** The smallest slot that nobody has. */
export async function freeSlot(writing: Writing, task: string): Promise<number> {
  const slots = await slotsOf(writing, task);
  let slot = 0;
  while (slots.has(slot)) slot += 1;
  return slot;
}

/** A slot for somebody who skipped the task. */
export const skippedSlot = async (writing: Writing, task: string): Promise<number> =>
  Math.min(0, ...(await slotsOf(writing, task))) - 1;

async function slotsOf(writing: Writing, task: string): Promise<Set<number>> {
  const taken = await writing
    .selectFrom('claims')
    .select('slot')
    .where('task_id', '=', task)
    .execute();
  return new Set(taken.map(({ slot }) => slot));
}

/** Tasks that a person did not finish in time are free again; earlier verdicts stay. */
async function freeOldClaims(writing: Writing, project: string, before: Date): Promise<void> {
  const old = await writing
    .selectFrom('claims')
    .select(['task_id', 'person_id', 'slot', 'reopened'])
    .where('project_id', '=', project)
    // Written out, as below: there is an index of held claims.
    .where(sql<boolean>`state = 'held'`)
    .where('claimed_at', '<', before.toISOString())
    .execute();
  for (const claim of old) await endClaim(writing, claim);
}

type HeldClaim = Pick<Tables['claims'], 'task_id' | 'person_id' | 'slot' | 'reopened'>;

/** Takes a claim back that has no new verdict. A reopened one is finished as it was before. */
export async function endClaim(
  writing: Writing,
  { task_id, person_id, slot, reopened }: HeldClaim,
): Promise<void> {
  if (reopened === 1) {
    await writing
      .updateTable('claims')
      .set({ state: slot < 0 ? 'skipped' : 'done', reopened: 0 })
      .where('task_id', '=', task_id)
      .where('person_id', '=', person_id)
      .execute();
    return;
  }
  await writing
    .deleteFrom('claims')
    .where('task_id', '=', task_id)
    .where('person_id', '=', person_id)
    .execute();
  await countTasks(writing, [task_id]);
}

interface Chosen extends Pick<Tables['tasks'], 'id' | 'priority' | 'priority_source'> {
  reason: ClaimReason;
}

async function chooseTask(
  writing: Writing,
  { project, person }: { project: string; person: string },
  besides: readonly string[],
  random: () => number,
): Promise<Chosen | null> {
  const { order, randomShare, goldShare } = await readSettings(writing, project);
  const { count } = await writing
    .selectFrom('claims')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('person_id', '=', person)
    .where('project_id', '=', project)
    .executeTakeFirstOrThrow();
  const unseen = writing
    .selectFrom('tasks')
    .select(['tasks.id', 'tasks.priority', 'tasks.priority_source'])
    .where('tasks.project_id', '=', project)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('claims')
            .select('claims.slot')
            .whereRef('claims.task_id', '=', 'tasks.id')
            .where('claims.person_id', '=', person),
        ),
      ),
    )
    .$if(besides.length > 0, (query) => query.where('tasks.id', 'not in', besides))
    .limit(1);
  // Keys are hashes: the first one after a random one is a random task.
  const drawn = async (among: typeof unseen, reason: ClaimReason): Promise<Chosen | null> => {
    const start = keyOf(String(random()));
    const ordered = among.orderBy('tasks.key');
    const found =
      (await ordered.where('tasks.key', '>=', start).executeTakeFirst()) ??
      (await ordered.executeTakeFirst());
    return found === undefined ? null : { ...found, reason };
  };
  // Written out: a database uses an index of some rows only for its own condition.
  const gold = unseen.where(sql<boolean>`is_gold = 1`);
  const free = unseen.where(sql<boolean>`is_gold = 0`).where(sql<boolean>`taken < overlap`);
  if (isGoldTurn(project, person, Number(count), goldShare)) {
    const found = await drawn(gold, 'gold');
    // Where nothing else is left, the person is done.
    if (found !== null && (await free.executeTakeFirst()) !== undefined) return found;
  }
  const isRandom = order === 'random' || (order === 'priority' && random() < randomShare);
  if (isRandom) return (await drawn(free, 'random')) ?? onlyGold();
  if (order === 'priority') {
    const found = await free.orderBy('priority', 'desc').orderBy('tasks.id').executeTakeFirst();
    if (found === undefined) return onlyGold();
    return { ...found, reason: found.priority_source === null ? 'added' : 'priority' };
  }
  const found = await free.orderBy('tasks.id').executeTakeFirst();
  return found === undefined ? onlyGold() : { ...found, reason: 'added' };

  /** A project of nothing but known verdicts is for practice: they are all given. */
  async function onlyGold(): Promise<Chosen | null> {
    const other = await writing
      .selectFrom('tasks')
      .select('id')
      .where('project_id', '=', project)
      .where(sql<boolean>`is_gold = 0`)
      .limit(1)
      .executeTakeFirst();
    return other === undefined ? drawn(gold, 'gold') : null;
  }
}
