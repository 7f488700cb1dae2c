// Projects, tasks and annotations. This step is published: never edit it.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const tables: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
  async up(db: Kysely<any>): Promise<void> {
    const { schema } = db;
    await schema
      .createTable('projects')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('name', 'text', (one) => one.notNull().unique())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .execute();
    await schema
      .createTable('guidelines')
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('version', 'integer', (one) => one.notNull())
      .addColumn('text', 'text', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addPrimaryKeyConstraint('guidelines_key', ['project_id', 'version'])
      .execute();
    await schema
      .createTable('people')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('name', 'text', (one) => one.notNull().unique())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .execute();
    await schema
      .createTable('prompts')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('key', 'text', (one) => one.notNull())
      .addColumn('content', 'text', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addUniqueConstraint('prompts_key', ['project_id', 'key'])
      .execute();
    await schema
      .createTable('answers')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('prompt_id', 'text', (one) => one.notNull().references('prompts.id'))
      .addColumn('key', 'text', (one) => one.notNull())
      .addColumn('content', 'text', (one) => one.notNull())
      .addColumn('model', 'text')
      .addColumn('adapter', 'text')
      .addColumn('sampling', 'text')
      .addUniqueConstraint('answers_key', ['prompt_id', 'key'])
      .execute();
    await schema
      .createTable('tasks')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('prompt_id', 'text', (one) => one.notNull().references('prompts.id'))
      .addColumn('key', 'text', (one) => one.notNull())
      .addColumn('kind', 'text', (one) => one.notNull())
      .addColumn('overlap', 'integer', (one) => one.notNull())
      .addColumn('lengths', 'text', (one) => one.notNull())
      .addColumn('columns', 'text', (one) => one.notNull())
      .addColumn('created_at', 'text', (one) => one.notNull())
      .addUniqueConstraint('tasks_key', ['project_id', 'key'])
      .execute();
    await schema
      .createIndex('tasks_by_project')
      .on('tasks')
      .columns(['project_id', 'id'])
      .execute();
    await schema
      .createTable('task_answers')
      .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
      .addColumn('position', 'integer', (one) => one.notNull())
      .addColumn('answer_id', 'text', (one) => one.notNull().references('answers.id'))
      .addPrimaryKeyConstraint('task_answers_key', ['task_id', 'position'])
      .execute();
    await schema
      .createTable('gold')
      .addColumn('task_id', 'text', (one) => one.primaryKey().references('tasks.id'))
      .addColumn('choice', 'text', (one) => one.notNull())
      .addColumn('ranks', 'text')
      .addColumn('created_at', 'text', (one) => one.notNull())
      .execute();
    await schema
      .createTable('claims')
      .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
      .addColumn('slot', 'integer', (one) => one.notNull())
      .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
      .addColumn('state', 'text', (one) => one.notNull())
      .addColumn('claimed_at', 'text', (one) => one.notNull())
      .addPrimaryKeyConstraint('claims_slot', ['task_id', 'slot'])
      .addUniqueConstraint('claims_person', ['task_id', 'person_id'])
      .execute();
    await schema
      .createIndex('claims_by_person')
      .on('claims')
      .columns(['person_id', 'state'])
      .execute();
    await schema
      .createTable('annotations')
      .addColumn('id', 'text', (one) => one.primaryKey())
      .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
      .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
      .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
      .addColumn('version', 'integer', (one) => one.notNull())
      .addColumn('choice', 'text')
      .addColumn('ranks', 'text')
      .addColumn('strength', 'double precision')
      .addColumn('probability', 'double precision')
      .addColumn('shown', 'integer', (one) => one.notNull())
      .addColumn('flagged', 'integer', (one) => one.notNull())
      .addColumn('comment', 'text')
      .addColumn('seconds', 'double precision')
      .addColumn('guidelines', 'integer')
      .addColumn('created_at', 'text', (one) => one.notNull())
      // Two writers cannot both write the next version.
      .addUniqueConstraint('annotations_version', ['task_id', 'person_id', 'version'])
      .execute();
    await schema
      .createIndex('annotations_by_project')
      .on('annotations')
      .columns(['project_id', 'task_id', 'person_id', 'version'])
      .execute();
  },
};
