// What judges expect of pairs. Who annotates learns it after the verdict, and never before.

import { isPlainObject } from '@keel/model/exact-json';
import { insertAll, parts } from './bulk-rows.ts';
import type { Database, Writing } from './database.ts';
import { personNamed } from './projects.ts';
import type { Tables } from './schema.ts';

/** What a judge expects of a pair. */
export interface JudgeSuggestion {
  /** The judge's name. */
  by: string;
  /** P(the answer at position 0 of the task is better), with half of a tie. */
  probability: number;
}

/**
 * A later suggestion of the same judge replaces an earlier one.
 * @param probabilities by task
 * @throws RangeError for a probability out of range, and for tasks that are no pairs of the project
 */
export async function saveSuggestions(
  writing: Writing,
  project: string,
  source: string,
  probabilities: ReadonlyMap<string, number>,
): Promise<void> {
  if (source.trim() === '') throw new RangeError('suggestions need the name of who makes them');
  const created_at = new Date().toISOString();
  const rows: Tables['suggestions'][] = [];
  for (const [task_id, probability] of probabilities) {
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`task ${task_id}: a probability is from 0 to 1, found ${probability}`);
    rows.push({ task_id, source, probability, created_at });
  }
  for (const part of parts(rows, 1)) {
    const ids = part.map(({ task_id }) => task_id);
    const known = await writing
      .selectFrom('tasks')
      .select('id')
      .where('id', 'in', ids)
      .where('project_id', '=', project)
      .where('kind', '=', 'pair')
      .execute();
    if (known.length !== part.length)
      throw new RangeError(
        `${part.length - known.length} of ${part.length} tasks are no pairs of this project`,
      );
    await writing
      .deleteFrom('suggestions')
      .where('source', '=', source)
      .where('task_id', 'in', ids)
      .execute();
  }
  await insertAll(writing, 'suggestions', rows);
}

/** Of one task, by the judges' names. */
export async function suggestionsOf(
  database: Database | Writing,
  task: string,
): Promise<JudgeSuggestion[]> {
  const rows = await database
    .selectFrom('suggestions')
    .select(['source', 'probability'])
    .where('task_id', '=', task)
    .orderBy('source')
    .execute();
  return rows.map(({ source, probability }) => ({ by: source, probability }));
}

/**
 * A task's other columns, without what a round's reward model or `keel ask` expects: who has not
 * judged the task is not to be influenced.
 */
export function withoutExpectations(
  columns: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const others = { ...columns };
  // A column of the user's data may have the same name.
  if (isPlainObject(others.round) && 'likes' in others.round) delete others.round;
  if (isPlainObject(others.ask) && 'probability' in others.ask) delete others.ask;
  return others;
}

/** A suggestion by the order in which a person sees the answers. */
export interface Suggestion {
  by: string;
  /** P(the left answer is the better one). */
  left: number;
}

/** What judges expect, for a person who has a verdict on the task; empty before. */
export async function suggestionsFor(
  database: Database,
  task: string,
  person: string,
): Promise<Suggestion[]> {
  const claim = await database
    .selectFrom('claims')
    .innerJoin('people', 'people.id', 'claims.person_id')
    .select('shown_order')
    .where('task_id', '=', task)
    .where('people.name', '=', person)
    // A skip is no verdict, and neither is a verdict that is being changed.
    .where('state', '=', 'done')
    .executeTakeFirst();
  if (claim === undefined) return [];
  const order = claim.shown_order === null ? [0] : (JSON.parse(claim.shown_order) as number[]);
  return (await suggestionsOf(database, task)).map(({ by, probability }) => ({
    ...{ by, left: order[0] === 0 ? probability : 1 - probability },
  }));
}

/** Notes that a person was shown suggestions on a task. The first time counts. */
export async function noteShown(
  writing: Writing,
  task_id: string,
  person: string,
  shown_at: string,
): Promise<void> {
  await writing
    .insertInto('shown_suggestions')
    .values({ task_id, person_id: await personNamed(writing, person), shown_at })
    .onConflict((one) => one.columns(['task_id', 'person_id']).doNothing())
    .execute();
}

/** `annotations.after_suggestion` of a verdict that a person gives now. */
export async function wasShown(
  writing: Writing,
  task: string,
  person: string,
): Promise<number | null> {
  const shown = await shownTimes(writing, [task]);
  return afterSuggestion(shown, { task_id: task, person_id: person }, null);
}

/** When people were shown suggestions on tasks, by "task person"; null: if at all, is not known. */
export async function shownTimes(
  writing: Writing,
  tasks: readonly string[],
): Promise<Map<string, string | null>> {
  const times = new Map<string, string | null>();
  for (const part of parts(tasks, 1)) {
    const rows = await writing
      .selectFrom('shown_suggestions')
      .selectAll()
      .where('task_id', 'in', part)
      .execute();
    for (const { task_id, person_id, shown_at } of rows)
      times.set(`${task_id} ${person_id}`, shown_at);
  }
  return times;
}

/**
 * `annotations.after_suggestion` of a verdict.
 * @param at when it was given; null: now
 */
export function afterSuggestion(
  shown: ReadonlyMap<string, string | null>,
  { task_id, person_id }: Pick<Tables['annotations'], 'task_id' | 'person_id'>,
  at: string | null,
): number | null {
  const time = shown.get(`${task_id} ${person_id}`);
  if (time === undefined) return 0;
  // One of a file can be older. A time that cannot be read is taken as a later one.
  if (at !== null && time !== null && Date.parse(at) < Date.parse(time)) return 0;
  return time === null ? null : 1;
}

/** Tasks of a project that have a suggestion of a judge. */
export async function suggestedTasks(
  database: Database,
  project: string,
  source: string,
): Promise<Set<string>> {
  const rows = await database
    .selectFrom('suggestions')
    .innerJoin('tasks', 'tasks.id', 'suggestions.task_id')
    .select('task_id')
    .where('source', '=', source)
    .where('tasks.project_id', '=', project)
    .execute();
  return new Set(rows.map(({ task_id }) => task_id));
}
