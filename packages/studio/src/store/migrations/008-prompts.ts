// Tasks are found by their prompt.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const byPrompt: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
  async up({ schema }: Kysely<any>): Promise<void> {
    await schema
      .createIndex('tasks_by_prompt')
      .ifNotExists()
      .on('tasks')
      .column('prompt_id')
      .execute();
  },
};
