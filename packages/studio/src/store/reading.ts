// What the store has of a project.
import type { Content } from '@keel/align/data';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { StoredTask, StoredVerdict } from './items.ts';
import { containsText, contentContainsText } from './matching.ts';
import { knownPerson } from './projects.ts';
import type { Choice } from './schema.ts';
import { adjudicationOf, ranksIn, verdictOf } from './verdict-rows.ts';

/** Which annotations are listed. */
export interface AnnotationFilter {
  person?: string;
  choice?: Choice;
  flagged?: boolean;
  /** Text that prompt or comment contain. */
  text?: string;
  limit?: number;
  offset?: number;
}

/** One line of a list of annotations. */
export interface ListedAnnotation {
  id: string;
  task: string;
  person: string;
  version: number;
  choice: Choice | null;
  strength: number | null;
  flagged: boolean;
  comment: string | null;
  seconds: number | null;
  at: string;
  /** As {@link StoredVerdict.afterSuggestion}. */
  afterSuggestion: boolean | null;
}

/** Written out: a database uses an index of some rows only for its own condition. */
export const isNewest = sql<boolean>`annotations.newest = 1`;

export async function listAnnotations(
  database: Database,
  project: string,
  { person, choice, flagged, text, limit = 100, offset = 0 }: AnnotationFilter,
  postgres: boolean,
): Promise<ListedAnnotation[]> {
  // Which rows are on the page is found before anything else of them is read.
  let page = database
    .selectFrom('annotations')
    .select(['task_id', 'person_id'])
    .where('project_id', '=', project)
    .where(isNewest);
  if (person !== undefined) {
    const id = await knownPerson(database, person);
    if (id === null) return [];
    page = page.where('person_id', '=', id);
  }
  if (choice !== undefined) page = page.where('choice', '=', choice);
  if (flagged !== undefined) page = page.where('flagged', '=', Number(flagged));
  if (text !== undefined) {
    // Each prompt is searched once, and not once for each verdict.
    const found = database
      .selectFrom('tasks')
      .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
      .select('tasks.id')
      .where('tasks.project_id', '=', project)
      .where(contentContainsText(sql`prompts.content`, text, postgres));
    page = page.where(({ eb, or }) =>
      or([eb('task_id', 'in', found), containsText(sql`comment`, text.replaceAll('\0', '\ufffd'))]),
    );
  }
  const rows = await database
    .selectFrom(page.orderBy('task_id').orderBy('person_id').limit(limit).offset(offset).as('page'))
    .innerJoin('annotations', (join) =>
      join
        .onRef('annotations.task_id', '=', 'page.task_id')
        .onRef('annotations.person_id', '=', 'page.person_id')
        .on(isNewest),
    )
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .select(['annotations.id', 'annotations.task_id', 'people.name', 'annotations.version'])
    .select(['choice', 'strength', 'flagged', 'comment', 'seconds', 'annotations.created_at'])
    .select('annotations.after_suggestion')
    .orderBy('annotations.task_id')
    .orderBy('annotations.person_id')
    .execute();
  return rows.map(({ task_id, name, flagged: flag, created_at, after_suggestion, ...row }) => ({
    ...row,
    ...{ task: task_id, person: name, flagged: flag === 1, at: created_at },
    afterSuggestion: after_suggestion === null ? null : after_suggestion === 1,
  }));
}

/** Tasks read at a time. */
const BATCH = 1000;

const taskRows = (database: Database) =>
  database
    .selectFrom('tasks')
    .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
    .leftJoin('gold', 'gold.task_id', 'tasks.id')
    .select(['tasks.id', 'tasks.kind', 'tasks.overlap', 'tasks.columns', 'prompts.content'])
    .select(['gold.choice', 'gold.ranks']);

type TaskRow = Awaited<ReturnType<ReturnType<typeof taskRows>['execute']>>[number];

/** All tasks of a project with their verdicts, in the order in which they were added. */
export async function* readTasks(database: Database, project: string): AsyncIterable<StoredTask> {
  for (let after = ''; ; ) {
    const rows = await taskRows(database)
      .where('tasks.project_id', '=', project)
      .where('tasks.id', '>', after)
      .orderBy('tasks.id')
      .limit(BATCH)
      .execute();
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    yield* await storedTasks(database, rows);
  }
}

/** null: there is no such task. */
export async function storedTask(database: Database, id: string): Promise<StoredTask | null> {
  const rows = await taskRows(database).where('tasks.id', '=', id).execute();
  return rows.length === 0 ? null : (await storedTasks(database, rows))[0]!;
}

async function storedTasks(database: Database, rows: readonly TaskRow[]): Promise<StoredTask[]> {
  const ids = rows.map(({ id }) => id);
  const answers = await answersOf(database, ids);
  const lengths = new Map([...answers].map(([id, list]) => [id, list.length]));
  const verdicts = await verdictsOf(database, ids, lengths);
  const adjudications = await adjudicationsOf(database, ids);
  return rows.map(({ id, kind, overlap, columns, content, choice, ranks }) => ({
    ...{ id, kind, overlap, prompt: JSON.parse(content) as Content },
    columns: JSON.parse(columns) as Record<string, unknown>,
    answers: answers.get(id) ?? [],
    annotations: verdicts.get(id) ?? [],
    gold: choice === null ? null : { choice, ranks: ranksIn(ranks) },
    adjudication: adjudications.get(id)?.at(-1) ?? null,
  }));
}

async function answersOf(database: Database, ids: readonly string[]) {
  const rows = await database
    .selectFrom('task_answers')
    .innerJoin('answers', 'answers.id', 'task_answers.answer_id')
    .select(['task_id', 'content', 'model', 'adapter', 'sampling'])
    .where('task_id', 'in', ids)
    .orderBy('task_id')
    .orderBy('position')
    .execute();
  return grouped(rows, ({ content, sampling, model, adapter }) => ({
    ...{ content: JSON.parse(content) as Content, model, adapter },
    sampling: sampling === null ? null : (JSON.parse(sampling) as Record<string, unknown>),
  }));
}

async function verdictsOf(
  database: Database,
  ids: readonly string[],
  answers: ReadonlyMap<string, number>,
) {
  const rows = await database
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .selectAll('annotations')
    .select('people.name')
    .where('task_id', 'in', ids)
    .where(isNewest)
    .orderBy('annotations.id')
    .execute();
  return grouped(rows, (row) => verdictOf(row, answers.get(row.task_id)!));
}

/** Every version of a person's verdict on a task, oldest first. */
export async function readVersions(
  database: Database,
  task: string,
  person: string,
): Promise<StoredVerdict[]> {
  const rows = await database
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .innerJoin('tasks', 'tasks.id', 'annotations.task_id')
    .selectAll('annotations')
    .select(['people.name', 'tasks.lengths'])
    .where('task_id', '=', task)
    .where('people.name', '=', person)
    .orderBy('version')
    .execute();
  return rows.map(({ lengths, ...row }) =>
    verdictOf(row, (JSON.parse(lengths) as number[]).length),
  );
}

/** Every version of every verdict on a task: of each person from the oldest on. */
export async function storedVersions(
  database: Database,
  task: string,
  answers: number,
): Promise<StoredVerdict[]> {
  const rows = await database
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .selectAll('annotations')
    .select('people.name')
    .where('task_id', '=', task)
    .orderBy('people.name')
    .orderBy('version')
    .execute();
  return rows.map((row) => verdictOf(row, answers));
}

/** Every version, oldest first. */
export async function adjudicationsOf(database: Database, ids: readonly string[]) {
  const rows = await database
    .selectFrom('adjudications')
    .innerJoin('people', 'people.id', 'adjudications.person_id')
    .selectAll('adjudications')
    .select('people.name')
    .where('task_id', 'in', ids)
    .orderBy('version')
    .execute();
  return grouped(rows, adjudicationOf);
}

function grouped<Row extends { task_id: string }, Made>(
  rows: readonly Row[],
  make: (row: Row) => Made,
): Map<string, Made[]> {
  const groups = new Map<string, Made[]>();
  for (const row of rows) {
    const group = groups.get(row.task_id);
    if (group === undefined) groups.set(row.task_id, [make(row)]);
    else group.push(make(row));
  }
  return groups;
}
