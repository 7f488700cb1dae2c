// What judges expect of tasks, why the models of a battle met, and what admins did.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const asking: Migration = {
  async up(db: AnyTables): Promise<void> {
    // Kysely has no transaction around a step in SQLite, which could be killed in the middle.
    if (db.isTransaction) await change(db);
    else await db.transaction().execute(change);
  },
};

async function change(db: AnyTables): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('suggestions')
    .ifNotExists()
    .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
    .addColumn('source', 'text', (one) => one.notNull())
    .addColumn('probability', 'double precision', (one) => one.notNull())
    .addColumn('created_at', 'text', (one) => one.notNull())
    .addPrimaryKeyConstraint('suggestions_key', ['task_id', 'source'])
    .execute();
  await schema
    .createTable('admin_actions')
    .ifNotExists()
    .addColumn('id', 'text', (one) => one.primaryKey())
    .addColumn('person', 'text')
    .addColumn('action', 'text', (one) => one.notNull())
    .addColumn('project', 'text')
    .addColumn('details', 'text', (one) => one.notNull())
    .addColumn('created_at', 'text', (one) => one.notNull())
    .execute();
  // Another process, or one that was killed before it noted this step, has done it.
  const tables = await db.introspection.getTables();
  const own = tables.find(({ name }) => name === 'battles')!;
  if (own.columns.some(({ name }) => name === 'reason')) return;
  await schema.alterTable('battles').addColumn('reason', 'text').execute();
  await schema.alterTable('battles').addColumn('gain', 'double precision').execute();
  // All that is counted before a battle, so that its conversation need not be read.
  await schema
    .createIndex('battles_met')
    .on('battles')
    .columns(['project_id', 'model_left', 'model_right', 'vote', 'leak', 'created_at'])
    .execute();
}
