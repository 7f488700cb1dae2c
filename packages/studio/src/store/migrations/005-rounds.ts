// Rounds of training on a project's labels.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const rounds: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('rounds')
      .ifNotExists()
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('number', 'integer', (one) => one.notNull())
      .addColumn('run', 'text', (one) => one.notNull())
      .addColumn('options', 'text', (one) => one.notNull())
      .addColumn('train_rows', 'integer', (one) => one.notNull())
      .addColumn('held_out_rows', 'integer', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addColumn('collected_at', 'text')
      .addColumn('new_tasks', 'integer')
      .addPrimaryKeyConstraint('rounds_key', ['project_id', 'number'])
      .execute();
  },
};
