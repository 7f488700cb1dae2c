// Who was shown what judges expect of a task, and which verdicts were given after that.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const shownSuggestions: Migration = {
  async up(db: AnyTables): Promise<void> {
    // Kysely has no transaction around a step in SQLite, which could be killed in the middle.
    if (db.isTransaction) await change(db);
    else await db.transaction().execute(change);
  },
};

async function change(db: AnyTables): Promise<void> {
  const { schema } = db;
  // Another process, or one that was killed before it noted this step, has done it.
  const tables = await db.introspection.getTables();
  if (tables.some(({ name }) => name === 'shown_suggestions')) return;
  await schema
    .createTable('shown_suggestions')
    .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
    .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
    .addColumn('shown_at', 'text')
    .addPrimaryKeyConstraint('shown_suggestions_key', ['task_id', 'person_id'])
    .execute();
  await schema.alterTable('annotations').addColumn('after_suggestion', 'integer').execute();
  // A suggestion was shown after a verdict, if at all: whether it was is not known of old ones.
  const expected = sql`(exists (select 1 from suggestions
    where suggestions.task_id = annotations.task_id)
    or exists (select 1 from tasks where tasks.id = annotations.task_id
    and (tasks.columns like '%"likes"%' or tasks.columns like '%"probability"%')))`;
  await sql`update annotations set after_suggestion = 0 where not (${expected} and exists (
    select 1 from annotations as earlier where earlier.task_id = annotations.task_id
    and earlier.person_id = annotations.person_id and earlier.version < annotations.version
    and earlier.choice is not null))`.execute(db);
  await sql`insert into shown_suggestions (task_id, person_id)
    select distinct task_id, person_id from annotations
    where choice is not null and ${expected}`.execute(db);
  // All others are given without a suggestion: their index stays small.
  await schema
    .createIndex('annotations_suggested')
    .on('annotations')
    .columns(['project_id', 'task_id', 'person_id'])
    .where(sql<boolean>`newest = 1 and (after_suggestion is null or after_suggestion = 1)`)
    .execute();
}
