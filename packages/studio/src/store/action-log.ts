// What admins did: who can sign in, what projects ask, and what was deleted.
import type { AdminAction } from '../names.ts';
import type { Database, Writing } from './database.ts';
import { newId } from './ids.ts';

/** What somebody did. */
export interface LoggedAction {
  /** ISO 8601 */
  at: string;
  /** null: a program that did not say who uses it. */
  person: string | null;
  action: AdminAction;
  /** Name of the project at that time; null: it is about none. */
  project: string | null;
  details: Readonly<Record<string, unknown>>;
}

/** Which actions are listed, newest first. */
export interface ActionFilter {
  person?: string;
  action?: AdminAction;
  /** Name of a project. */
  project?: string;
  /** Default: 50. */
  limit?: number;
  offset?: number;
}

/** Notes an action in the transaction that does it. */
export async function noteAction(
  writing: Writing | Database,
  { person, action, project, details }: Omit<LoggedAction, 'at'>,
): Promise<void> {
  await writing
    .insertInto('admin_actions')
    .values({
      ...{ id: newId(), person, action, project, details: JSON.stringify(details) },
      created_at: new Date().toISOString(),
    })
    .execute();
}

/** The name of a project, for the note of an action. */
export async function projectName(writing: Writing | Database, id: string): Promise<string> {
  const found = await writing
    .selectFrom('projects')
    .select('name')
    .where('id', '=', id)
    .executeTakeFirst();
  if (found === undefined) throw new RangeError(`there is no project ${id}`);
  return found.name;
}

/** One page of actions, newest first, and how many fit the filter. */
export async function listActions(
  database: Database,
  { person, action, project, limit = 50, offset = 0 }: ActionFilter,
): Promise<{ total: number; actions: LoggedAction[] }> {
  let query = database.selectFrom('admin_actions');
  for (const [column, wanted] of Object.entries({ person, action, project }))
    if (wanted !== undefined)
      query = query.where(column as 'person' | 'action' | 'project', '=', wanted);
  const { total } = await query
    .select(({ fn }) => fn.countAll().as('total'))
    .executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return {
    total: Number(total),
    actions: rows.map(({ person: who, details, created_at, ...row }) => ({
      ...{ at: created_at, person: who, action: row.action as AdminAction, project: row.project },
      details: JSON.parse(details) as Record<string, unknown>,
    })),
  };
}
