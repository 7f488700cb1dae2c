// Tables of the people who can sign in, and of their invitations.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const members: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
  async up(db: Kysely<any>): Promise<void> {
    const { schema } = db;
    await schema
      .createTable('members')
      .ifNotExists()
      .addColumn('person_id', 'text', (one) => one.primaryKey().references('people.id'))
      .addColumn('user_id', 'text', (one) => one.notNull().unique())
      .addColumn('role', 'text', (one) => one.notNull())
      .addColumn('disabled', 'integer', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .execute();
    await schema
      .createTable('project_members')
      .ifNotExists()
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
      .addPrimaryKeyConstraint('project_members_key', ['project_id', 'person_id'])
      .execute();
    await schema
      .createTable('invitations')
      .ifNotExists()
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('key', 'text', (one) => one.notNull().unique())
      .addColumn('name', 'text')
      .addColumn('role', 'text', (one) => one.notNull())
      .addColumn('projects', 'text', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addColumn('expires_at', 'text', (one) => one.notNull())
      .addColumn('used_at', 'text')
      .execute();
    await schema
      .createTable('secrets')
      .ifNotExists()
      .addColumn('name', 'text', (one) => one.primaryKey())
      .addColumn('value', 'text', (one) => one.notNull())
      .execute();
  },
};
