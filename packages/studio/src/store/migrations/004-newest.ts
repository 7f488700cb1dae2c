// The newest version of each verdict is marked, for lists; and votes are packed in a shorter form.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const newest: Migration = {
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
  // Opening the store packs them again.
  await sql`update tasks set votes = null`.execute(db);
}
