// Claims name their project: without statistics SQLite looked through all tasks for them.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const claims: Migration = {
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
  const own = tables.find(({ name }) => name === 'claims')!;
  if (own.columns.some(({ name }) => name === 'project_id')) return;
  await schema.alterTable('claims').addColumn('project_id', 'text').execute();
  await sql`update claims set project_id =
    (select project_id from tasks where tasks.id = claims.task_id)`.execute(db);
  for (const name of ['claims_by_person', 'claims_held']) await schema.dropIndex(name).execute();
  await schema
    .createIndex('claims_by_person')
    .on('claims')
    .columns(['person_id', 'project_id', 'state'])
    .execute();
  await schema
    .createIndex('claims_held')
    .on('claims')
    .columns(['project_id', 'claimed_at'])
    .where(sql<boolean>`state = 'held'`)
    .execute();
}
