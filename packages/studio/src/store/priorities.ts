// Which tasks people get first.
import { sql } from 'kysely';
import type { Writing } from './database.ts';

/** Each task has two parameters in a statement. */
const BATCH = 5000;

/**
 * @param source who set them, for example "reward-disagreement"
 * @throws RangeError for a priority that is no number, and for tasks of no such project
 */
export async function setPriorities(
  writing: Writing,
  project: string,
  priorities: ReadonlyMap<string, number>,
  source: string,
): Promise<void> {
  if (source.trim() === '')
    throw new RangeError('priorities need a source. Say what they were computed from');
  const all = [...priorities];
  for (const [task, priority] of all)
    if (!Number.isFinite(priority))
      throw new RangeError(`task ${task}: a priority is a number, found ${priority}`);
  for (let at = 0; at < all.length; at += BATCH) {
    const part = all.slice(at, at + BATCH);
    const values = part.map(([task, priority]) => sql`(${task}, ${priority})`);
    // The names of a list's columns are the same in SQLite and PostgreSQL, where all are texts.
    const { numAffectedRows } = await sql`update tasks
      set priority = cast(column2 as double precision), priority_source = ${source}
      from (values ${sql.join(values)}) as given
      where tasks.id = column1 and tasks.project_id = ${project}`.execute(writing);
    if (Number(numAffectedRows) === part.length) continue;
    const missing = part.length - Number(numAffectedRows);
    throw new RangeError(`${missing} of ${all.length} tasks are not in this project`);
  }
}
