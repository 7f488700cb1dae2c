// For speed: the newest version of each verdict is marked, claims name their project, and votes are
// packed in a shorter form.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const faster: Migration = {
  async up(db: AnyTables): Promise<void> {
    // Kysely has no transaction around a step in SQLite, which could be killed in the middle.
    if (db.isTransaction) await change(db);
    else await db.transaction().execute(change);
  },
};

async function change(db: AnyTables): Promise<void> {
  // Another process, or one that was killed before it noted this step, has done it.
  const tables = await db.introspection.getTables();
  const annotations = tables.find(({ name }) => name === 'annotations')!;
  if (annotations.columns.some(({ name }) => name === 'newest')) return;
  await db.schema
    .alterTable('annotations')
    .addColumn('newest', 'integer', (one) => one.notNull().defaultTo(1))
    .execute();
  await sql`update annotations set newest = 0 where exists (select 1 from annotations as newer
    where newer.task_id = annotations.task_id and newer.person_id = annotations.person_id
    and newer.version > annotations.version)`.execute(db);
  await db.schema.dropIndex('annotations_by_project').execute();
  await db.schema
    .createIndex('annotations_newest')
    .on('annotations')
    .columns(['project_id', 'task_id', 'person_id'])
    .where(sql<boolean>`newest = 1`)
    .execute();
  await db.schema.alterTable('claims').addColumn('project_id', 'text').execute();
  await sql`update claims set project_id =
    (select project_id from tasks where tasks.id = claims.task_id)`.execute(db);
  for (const name of ['claims_by_person', 'claims_held']) await db.schema.dropIndex(name).execute();
  await db.schema
    .createIndex('claims_by_person')
    .on('claims')
    .columns(['person_id', 'project_id', 'state'])
    .execute();
  await db.schema
    .createIndex('claims_held')
    .on('claims')
    .columns(['project_id', 'claimed_at'])
    .where(sql<boolean>`state = 'held'`)
    .execute();
  // Opening the store packs them again.
  await sql`update tasks set votes = null`.execute(db);
}
