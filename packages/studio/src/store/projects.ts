// Projects, people and guidelines.
import { ConfigError, nearest } from '@keel/align/config';
import { sql } from 'kysely';
import type { Database, Writing } from './database.ts';
import { newId } from './ids.ts';
import {
  type ProjectSettings,
  patchedSettings,
  type SettingsPatch,
  settingsIn,
} from './settings.ts';

/**
 * Until the transaction ends, nobody else writes to this project: claims and verdicts follow each
 * other. SQLite has one writer anyway.
 */
export async function lockProject(
  writing: Writing,
  project: string,
  postgres: boolean,
): Promise<void> {
  if (postgres)
    await sql`select id from projects where id = ${project} for update`.execute(writing);
}

export async function projectNames(database: Database | Writing): Promise<string[]> {
  const rows = await database.selectFrom('projects').select('name').orderBy('name').execute();
  return rows.map(({ name }) => name);
}

/** @throws ConfigError if there is no project of this name */
export async function projectNamed(
  database: Database,
  name: string,
  store: string,
): Promise<string> {
  const found = await database
    .selectFrom('projects')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  if (found !== undefined) return found.id;
  const all = await projectNames(database);
  const near = nearest(name, all);
  const advice =
    near !== null
      ? `Did you mean "${near}"?`
      : all.length === 0
        ? 'It is empty: import rows with `keel data import` first'
        : `Its projects are ${all.join(', ')}`;
  throw new ConfigError([`--project ${name}: ${store} has no such project. ${advice}`]);
}

/** The id of a project, which is created if there is none of this name. */
export async function openProject(
  writing: Writing,
  name: string,
): Promise<{ id: string; isNew: boolean }> {
  const { numInsertedOrUpdatedRows } = await writing
    .insertInto('projects')
    .values({ id: newId(), name, created_at: new Date().toISOString(), settings: '{}' })
    .onConflict((one) => one.column('name').doNothing())
    .executeTakeFirstOrThrow();
  const { id } = await writing
    .selectFrom('projects')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return { id, isNew: numInsertedOrUpdatedRows === 1n };
}

async function settingsText(database: Database | Writing, project: string): Promise<string> {
  const found = await database
    .selectFrom('projects')
    .select('settings')
    .where('id', '=', project)
    .executeTakeFirst();
  if (found === undefined) throw new RangeError(`there is no project ${project}`);
  return found.settings;
}

export const readSettings = async (
  database: Database | Writing,
  project: string,
): Promise<ProjectSettings> => settingsIn(await settingsText(database, project));

/** A new overlap is that of all tasks of the project. */
export async function saveSettings(
  writing: Writing,
  project: string,
  patch: SettingsPatch,
): Promise<ProjectSettings> {
  const { settings, text } = patchedSettings(await settingsText(writing, project), patch);
  await writing.updateTable('projects').set({ settings: text }).where('id', '=', project).execute();
  if (patch.overlap !== undefined) {
    await writing
      .updateTable('tasks')
      .set({ overlap: settings.overlap })
      .where('project_id', '=', project)
      .where('overlap', '!=', settings.overlap)
      .execute();
  }
  return settings;
}

export const newestGuidelines = (database: Database | Writing, project: string) =>
  database
    .selectFrom('guidelines')
    .select(['version', 'text'])
    .where('project_id', '=', project)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();

/** Adds a version of the guidelines, unless the newest one is the same. @returns its number */
export async function saveGuidelines(
  writing: Writing,
  project: string,
  text: string,
): Promise<number> {
  const last = await newestGuidelines(writing, project);
  if (last?.text === text) return last.version;
  const version = (last?.version ?? 0) + 1;
  const created_at = new Date().toISOString();
  await writing
    .insertInto('guidelines')
    .values({ project_id: project, version, text, created_at })
    .execute();
  return version;
}

/** The id of a person, who is added if nobody has this name. */
export async function personNamed(writing: Writing, name: string): Promise<string> {
  const known = await knownPerson(writing, name);
  if (known !== null) return known;
  const created_at = new Date().toISOString();
  await writing
    .insertInto('people')
    .values({ id: newId(), name, created_at })
    .onConflict((one) => one.column('name').doNothing())
    .execute();
  return (await knownPerson(writing, name))!;
}

/** null: nobody has this name. */
export async function knownPerson(
  database: Database | Writing,
  name: string,
): Promise<string | null> {
  const found = await database
    .selectFrom('people')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  return found?.id ?? null;
}
