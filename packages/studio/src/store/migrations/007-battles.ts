// Battles: two models answer a person's prompts, and the person says who is better.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const battles: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
  async up({ schema }: Kysely<any>): Promise<void> {
    await schema
      .createTable('battles')
      .ifNotExists()
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
      .addColumn('model_left', 'text', (one) => one.notNull())
      .addColumn('model_right', 'text', (one) => one.notNull())
      .addColumn('category', 'text')
      .addColumn('turns', 'text', (one) => one.notNull())
      .addColumn('vote', 'text')
      .addColumn('comment', 'text')
      .addColumn('seconds', 'double precision')
      .addColumn('leak', 'text')
      .addColumn('styles', 'text')
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addColumn('voted_at', 'text')
      .execute();
    await schema
      .createIndex('battles_voted')
      .ifNotExists()
      .on('battles')
      .columns(['project_id', 'voted_at'])
      .where(sql<boolean>`vote is not null`)
      .execute();
    await schema
      .createIndex('battles_by_person')
      .ifNotExists()
      .on('battles')
      .columns(['project_id', 'person_id', 'id'])
      .execute();
  },
};
