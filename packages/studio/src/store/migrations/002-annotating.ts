// What annotating in a browser needs: settings, an order of the answers for each person,
// priorities, ratings, edits, adjudication, and counts of each task that are kept up to date.
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// biome-ignore lint/suspicious/noExplicitAny: a step sees the tables of its time, not today's
type AnyTables = Kysely<any>;

export const annotating: Migration = {
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
  if (tables.some(({ name }) => name === 'adjudications')) return;
  await schema
    .alterTable('projects')
    .addColumn('settings', 'text', (one) => one.notNull().defaultTo('{}'))
    .execute();
  const counts = ['is_gold', 'taken', 'verdicts', 'skips', 'flags', 'adjudicated'];
  for (const name of counts) {
    await schema
      .alterTable('tasks')
      .addColumn(name, 'integer', (one) => one.notNull().defaultTo(0))
      .execute();
  }
  for (const name of ['priority', 'dispute']) {
    await schema
      .alterTable('tasks')
      .addColumn(name, 'double precision', (one) => one.notNull().defaultTo(0))
      .execute();
  }
  for (const name of ['priority_source', 'answered_at', 'votes'])
    await schema.alterTable('tasks').addColumn(name, 'text').execute();
  for (const name of ['shown_order', 'reason', 'priority_source'])
    await schema.alterTable('claims').addColumn(name, 'text').execute();
  await schema.alterTable('claims').addColumn('priority', 'double precision').execute();
  await schema
    .alterTable('claims')
    .addColumn('reopened', 'integer', (one) => one.notNull().defaultTo(0))
    .execute();
  for (const name of ['shown_order', 'ratings', 'edit'])
    await schema.alterTable('annotations').addColumn(name, 'text').execute();
  await schema
    .createTable('adjudications')
    .addColumn('id', 'text', (one) => one.primaryKey())
    .addColumn('project_id', 'text', (one) => one.notNull().references('projects.id'))
    .addColumn('task_id', 'text', (one) => one.notNull().references('tasks.id'))
    .addColumn('person_id', 'text', (one) => one.notNull().references('people.id'))
    .addColumn('version', 'integer', (one) => one.notNull())
    .addColumn('choice', 'text', (one) => one.notNull())
    .addColumn('ranks', 'text')
    .addColumn('strength', 'double precision')
    .addColumn('ratings', 'text')
    .addColumn('edit', 'text')
    .addColumn('comment', 'text')
    .addColumn('created_at', 'text', (one) => one.notNull())
    .addUniqueConstraint('adjudications_version', ['task_id', 'version'])
    .execute();
  await moveSkips(db);
  // Free tasks in each order in which they are given to people.
  const free = sql<boolean>`taken < overlap`;
  for (const [name, columns] of [
    ['tasks_free_added', ['project_id', 'is_gold', 'id']],
    ['tasks_free_random', ['project_id', 'is_gold', 'key']],
    ['tasks_free_priority', ['project_id', 'is_gold', 'priority desc', 'id']],
  ] as const) {
    await schema
      .createIndex(name)
      .on('tasks')
      .columns([...columns])
      .where(free)
      .execute();
  }
  await schema
    .createIndex('tasks_gold')
    .on('tasks')
    .columns(['project_id', 'key'])
    .where(sql<boolean>`is_gold = 1`)
    .execute();
  await schema
    .createIndex('tasks_progress')
    .on('tasks')
    .columns(['project_id', 'is_gold', 'overlap', 'verdicts'])
    .execute();
  await schema
    .createIndex('claims_held')
    .on('claims')
    .column('claimed_at')
    .where(sql<boolean>`state = 'held'`)
    .execute();
  // Tasks from before this step: opening the store counts their verdicts.
  await schema
    .createIndex('tasks_uncounted')
    .on('tasks')
    .column('id')
    .where(sql<boolean>`votes is null`)
    .execute();
  await schema
    .createIndex('annotations_by_person')
    .on('annotations')
    .columns(['person_id', 'project_id', 'created_at'])
    .execute();
}

/** A skipped task leaves its slot to others: its own one is negative. */
async function moveSkips(db: AnyTables): Promise<void> {
  await sql`update claims set state = 'skipped', slot = -1 - slot
    where state = 'done' and exists (
      select 1 from annotations where annotations.task_id = claims.task_id
      and annotations.person_id = claims.person_id and annotations.choice is null
      and not exists (select 1 from annotations as newer
        where newer.task_id = annotations.task_id and newer.person_id = annotations.person_id
        and newer.version > annotations.version))`.execute(db);
}
