// Who annotates what next.
import { sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

export interface ClaimOptions {
  /** Claims that are older than this, in seconds, are free again (default: 1800). */
  holdFor?: number;
  /** Default: now. */
  now?: Date;
}

/**
 * Gives a person a slot of a task that fewer people have than are to annotate it. A person who
 * holds a slot gets the same again, for example after a crash.
 * @returns the task; null if the person has nothing left to do
 */
export async function claimTask(
  writing: Transaction<Tables>,
  { project, person, postgres }: { project: string; person: string; postgres: boolean },
  { holdFor = 1800, now = new Date() }: ClaimOptions,
): Promise<string | null> {
  // Claims of a project follow each other: SQLite has one writer, PostgreSQL locks the project.
  if (postgres)
    await sql`select id from projects where id = ${project} for update`.execute(writing);
  const free = new Date(now.getTime() - 1000 * holdFor).toISOString();
  const inProject = writing.selectFrom('tasks').select('id').where('project_id', '=', project);
  await writing
    .deleteFrom('claims')
    .where('state', '=', 'held')
    .where('claimed_at', '<', free)
    .where('task_id', 'in', inProject)
    .execute();
  const held = await writing
    .selectFrom('claims')
    .select('task_id')
    .where('person_id', '=', person)
    .where('state', '=', 'held')
    .where('task_id', 'in', inProject)
    .orderBy('claimed_at')
    .limit(1)
    .executeTakeFirst();
  if (held !== undefined) return held.task_id;
  const next = await writing
    .selectFrom('tasks')
    .select('tasks.id')
    .where('project_id', '=', project)
    .where(({ eb, selectFrom, ref }) =>
      eb(
        selectFrom('claims')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .whereRef('claims.task_id', '=', 'tasks.id'),
        '<',
        ref('tasks.overlap'),
      ),
    )
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
    .orderBy('tasks.id')
    .limit(1)
    .executeTakeFirst();
  if (next === undefined) return null;
  const taken = await writing
    .selectFrom('claims')
    .select('slot')
    .where('task_id', '=', next.id)
    .execute();
  const slots = new Set(taken.map(({ slot }) => slot));
  let slot = 0;
  while (slots.has(slot)) slot += 1;
  await writing
    .insertInto('claims')
    .values({
      ...{ task_id: next.id, slot, person_id: person, state: 'held' as const },
      claimed_at: now.toISOString(),
    })
    .execute();
  return next.id;
}
