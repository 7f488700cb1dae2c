// A store of an earlier version of Keel.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { migrations } from './migrations/migrations.ts';
import { PreferenceStore } from './preference-store.ts';
import { openSqlite } from './sqlite-database.ts';
import { databases } from './testing/databases.ts';

const opener = fileURLToPath(new URL('testing/opener.ts', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: the tables of an earlier version
type Earlier = Kysely<any>;

const connectionOf = (name: string): Earlier =>
  new Kysely({
    dialect: name.startsWith('postgres')
      ? new PostgresDialect({ pool: new pg.Pool({ connectionString: name }) })
      : new SqliteDialect({ database: openSqlite(name) }),
  });

/** A database with only the first step, and rows as that version wrote them. */
async function earlierStore(name: string): Promise<void> {
  const database = connectionOf(name);
  const all = await migrations.getMigrations();
  const provider = { getMigrations: async () => ({ '001-tables': all['001-tables']! }) };
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  expect(error).toBeUndefined();
  const created_at = '2026-01-01T00:00:00Z';
  const insert = (table: string, rows: object[]) =>
    database.insertInto(table).values(rows).execute();
  await insert('projects', [{ id: 'p', name: 'old', created_at }]);
  await insert('people', [
    { id: 'ann', name: 'Ann', created_at },
    { id: 'ben', name: 'Ben', created_at },
  ]);
  const ids = ['t1', 't2', 't3'];
  for (const id of ids) {
    const prompt_id = `q${id}`;
    const rest = { project_id: 'p', key: id, created_at };
    await insert('prompts', [{ id: prompt_id, content: `"Question ${id}?"`, ...rest }]);
    await insert('tasks', [
      { ...rest, id, prompt_id, kind: 'pair', overlap: 1, lengths: '[3,2]', columns: '{}' },
    ]);
    for (const [position, content] of ['"yes"', '"no"'].entries()) {
      const answer_id = `${id} ${position}`;
      await insert('answers', [{ id: answer_id, prompt_id, key: answer_id, content }]);
      await insert('task_answers', [{ task_id: id, position, answer_id }]);
    }
  }
  await insert('gold', [{ task_id: 't3', choice: 'right', created_at }]);
  const verdict = (task_id: string, person_id: string, version: number, more: object) => ({
    ...{ id: `${task_id} ${person_id} ${version}`, project_id: 'p', task_id, person_id, version },
    ...{ choice: null, shown: 0, flagged: 0, created_at, ...more },
  });
  await insert('annotations', [
    verdict('t1', 'ann', 1, { choice: 'right' }),
    verdict('t1', 'ann', 2, { choice: 'left', shown: 1, seconds: 2.5, flagged: 1 }),
    verdict('t1', 'ben', 1, { choice: 'tie' }),
    verdict('t2', 'ann', 1, { choice: 'left' }),
    verdict('t2', 'ann', 2, {}),
  ]);
  const claim = (task_id: string, slot: number, person_id: string, state = 'done') => ({
    ...{ task_id, slot, person_id, state, claimed_at: created_at },
  });
  await insert('claims', [
    claim('t1', 0, 'ann'),
    claim('t1', 1, 'ben'),
    claim('t2', 0, 'ann'),
    claim('t3', 0, 'ben', 'held'),
  ]);
  await database.destroy();
}

/** The earlier store as it was when suggestions came, with one on each task of some. */
async function suggestingStore(name: string, tasks: readonly string[]): Promise<void> {
  await earlierStore(name);
  const database = connectionOf(name);
  const all = Object.entries(await migrations.getMigrations());
  const older = Object.fromEntries(all.filter(([step]) => step < '010'));
  const provider = { getMigrations: async () => older };
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  expect(error).toBeUndefined();
  const rest = { source: 'judge', probability: 0.5, created_at: '2026-01-01T00:00:00Z' };
  const rows = tasks.map((task_id) => ({ task_id, ...rest }));
  await database.insertInto('suggestions').values(rows).execute();
  await database.destroy();
}

describe.each(databases)('%s', (_, newDatabase) => {
  it('does not know of old verdicts whether they follow a suggestion', async () => {
    const name = await newDatabase();
    await suggestingStore(name, ['t1']);
    await using store = await PreferenceStore.open(name);
    const flags = async (task: string, person: string) =>
      (await store.versions(task, person)).map(({ afterSuggestion }) => afterSuggestion);
    // The first verdict on a task never followed one, and on t2 there was none.
    expect(await flags('t1', 'Ann')).toEqual([false, null]);
    expect(await flags('t1', 'Ben')).toEqual([false]);
    expect(await flags('t2', 'Ann')).toEqual([false, false]);
    await store.reopen('t1', 'Ben');
    await store.annotate('t1', 'Ben', { choice: 'left' });
    expect(await flags('t1', 'Ben')).toEqual([false, null]);
    const { lines } = await store.votes('p', { independent: true });
    expect(lines.map(({ choice }) => choice).sort()).toEqual(['right', 'tie']);
  });

  it('counts what was there, and frees the slots of skipped tasks', async () => {
    const name = await newDatabase();
    await earlierStore(name);
    // Processes that open it at the same time do not disturb each other.
    const ends = [1, 2].map(async () => {
      const child = spawn(process.execPath, [opener, name], { stdio: 'inherit' });
      return (await once(child, 'close'))[0] as number;
    });
    expect(await Promise.all(ends)).toEqual([0, 0]);
    await using store = await PreferenceStore.open(name);
    const { tasks } = await store.taskList('p');
    expect(tasks).toMatchObject([
      { id: 't1', taken: 2, verdicts: 2, skips: 0, flags: 1, dispute: 1, gold: false },
      { id: 't2', taken: 0, verdicts: 0, skips: 1, flags: 0, dispute: 0, gold: false },
      { id: 't3', taken: 1, verdicts: 0, skips: 0, flags: 0, dispute: 0, gold: true },
    ]);
    const { lines, people } = await store.votes('p');
    expect(lines.map((one) => [people[one.person], one.choice, one.first, one.seconds])).toEqual([
      ['Ann', 'left', 0, 2.5],
      ['Ben', 'tie', null, null],
    ]);
    expect(await store.versions('t1', 'Ann')).toMatchObject([
      { order: null },
      { order: [0, 1], ratings: null, edit: null },
    ]);
    expect(await store.claim('p', 'Ann')).toBeNull();
    expect(await store.claim('p', 'Ben', { besides: ['t3'] })).toBe('t2');
    // An order is drawn for a verdict that was given on no page.
    const view = await store.reopen('t1', 'Ann');
    expect(view.draft).toMatchObject({
      choice: view.answers[0] === 'yes' ? 'left' : 'right',
      version: 2,
    });
    expect(await store.settings('p')).toMatchObject({ overlap: 1 });
  });
});
