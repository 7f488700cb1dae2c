// What the store has of a project.
import type { Content } from '@keel/align/data';
import { type Selectable, sql } from 'kysely';
import type { StoredTask, StoredVerdict } from './items.ts';
import type { Database } from './open-database.ts';
import type { Choice, Tables, TaskKind } from './schema.ts';

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
}

/** The newest version of each person's verdict: no other one is newer. */
const isNewest = sql<boolean>`not exists (select 1 from annotations as newer
  where newer.task_id = annotations.task_id and newer.person_id = annotations.person_id
  and newer.version > annotations.version)`;

export async function listAnnotations(
  database: Database,
  project: string,
  { person, choice, flagged, text, limit = 100, offset = 0 }: AnnotationFilter,
): Promise<ListedAnnotation[]> {
  let query = database
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .select(['annotations.id', 'annotations.task_id', 'people.name', 'annotations.version'])
    .select(['choice', 'strength', 'flagged', 'comment', 'seconds', 'annotations.created_at'])
    .where('annotations.project_id', '=', project)
    .where(isNewest);
  if (person !== undefined) query = query.where('people.name', '=', person);
  if (choice !== undefined) query = query.where('choice', '=', choice);
  if (flagged !== undefined) query = query.where('flagged', '=', Number(flagged));
  if (text !== undefined) {
    const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    query = query
      .innerJoin('tasks', 'tasks.id', 'annotations.task_id')
      .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
      .where(
        sql<boolean>`(lower(prompts.content) like ${pattern} escape '\\'
          or lower(coalesce(comment, '')) like ${pattern} escape '\\')`,
      );
  }
  const rows = await query
    .orderBy('annotations.task_id')
    .orderBy('annotations.person_id')
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(({ task_id, name, flagged: flag, created_at, ...row }) => ({
    ...row,
    ...{ task: task_id, person: name, flagged: flag === 1, at: created_at },
  }));
}

/** What agreement is computed from: the newest verdict of a person on a task. */
export interface VoteLine {
  task: VotedTask;
  /** Place in the list of people. */
  person: number;
  choice: Choice;
  ranks: readonly number[] | null;
  shown: boolean;
  seconds: number | null;
}

/** Facts about the tasks that are compared with verdicts. */
export interface VotedTask {
  id: string;
  kind: TaskKind;
  /** In characters, by position. */
  lengths: readonly number[];
  gold: { choice: Choice; ranks: readonly number[] | null } | null;
}

export interface Votes {
  /** By task. */
  lines: readonly VoteLine[];
  people: readonly string[];
  skipped: number;
}

export async function readVotes(database: Database, project: string): Promise<Votes> {
  // Without joins, and with one column for choice and ranks: what takes long is the many rows.
  const rows = await database
    .selectFrom('annotations')
    .select(['task_id', 'person_id', 'shown', 'seconds'])
    .select(sql<string | null>`coalesce(ranks, choice)`.as('said'))
    .where('project_id', '=', project)
    .orderBy('task_id')
    .orderBy('person_id')
    .orderBy('version')
    .execute();
  const own = await database
    .selectFrom('tasks')
    .select(['id', 'kind', 'lengths'])
    .where('project_id', '=', project)
    .execute();
  const gold = await database
    .selectFrom('gold')
    .innerJoin('tasks', 'tasks.id', 'gold.task_id')
    .select(['gold.task_id', 'gold.choice', 'gold.ranks'])
    .where('tasks.project_id', '=', project)
    .execute();
  const names = await database.selectFrom('people').select(['id', 'name']).execute();
  const nameOf = new Map(names.map(({ id, name }) => [id, name]));
  const tasks = new Map<string, VotedTask>();
  for (const { id, kind, lengths } of own)
    tasks.set(id, { id, kind, lengths: JSON.parse(lengths) as number[], gold: null });
  for (const { task_id, choice, ranks } of gold)
    tasks.get(task_id)!.gold = { choice, ranks: ranksIn(ranks) };
  const people: string[] = [];
  const places = new Map<string, number>();
  const lines: VoteLine[] = [];
  let skipped = 0;
  let task = null as VotedTask | null;
  for (let at = 0; at < rows.length; at++) {
    const { task_id, person_id, shown, seconds, said } = rows[at]!;
    const next = rows[at + 1];
    // A newer version follows.
    if (next !== undefined && next.task_id === task_id && next.person_id === person_id) continue;
    if (said === null) {
      skipped += 1;
      continue;
    }
    if (task?.id !== task_id) task = tasks.get(task_id)!;
    let person = places.get(person_id);
    if (person === undefined) {
      person = people.length;
      places.set(person_id, person);
      people.push(nameOf.get(person_id)!);
    }
    const isRanking = said.startsWith('[');
    const choice = isRanking ? 'ranked' : (said as Choice);
    const ranks = isRanking ? (JSON.parse(said) as number[]) : null;
    lines.push({ task, person, choice, ranks, shown: shown === 1, seconds });
  }
  return { lines, people, skipped };
}

const ranksIn = (text: string | null): number[] | null => (text === null ? null : JSON.parse(text));

/** Tasks read at a time. */
const BATCH = 1000;

/** All tasks of a project with their verdicts, in the order in which they were added. */
export async function* readTasks(database: Database, project: string): AsyncIterable<StoredTask> {
  for (let after = ''; ; ) {
    const tasks = await database
      .selectFrom('tasks')
      .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
      .leftJoin('gold', 'gold.task_id', 'tasks.id')
      .select(['tasks.id', 'tasks.kind', 'tasks.overlap', 'tasks.columns', 'prompts.content'])
      .select(['gold.choice', 'gold.ranks'])
      .where('tasks.project_id', '=', project)
      .where('tasks.id', '>', after)
      .orderBy('tasks.id')
      .limit(BATCH)
      .execute();
    if (tasks.length === 0) return;
    const ids = tasks.map(({ id }) => id);
    after = ids.at(-1)!;
    const answers = await answersOf(database, ids);
    const verdicts = await verdictsOf(database, ids);
    for (const { id, kind, overlap, columns, content, choice, ranks } of tasks) {
      yield {
        ...{ id, kind, overlap, prompt: JSON.parse(content) as Content },
        columns: JSON.parse(columns) as Record<string, unknown>,
        answers: answers.get(id) ?? [],
        annotations: verdicts.get(id) ?? [],
        gold: choice === null ? null : { choice, ranks: ranksIn(ranks) },
      };
    }
  }
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

async function verdictsOf(database: Database, ids: readonly string[]) {
  const rows = await database
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .selectAll('annotations')
    .select('people.name')
    .where('task_id', 'in', ids)
    .where(isNewest)
    .orderBy('annotations.id')
    .execute();
  return grouped(rows, verdictOf);
}

/** A stored row as a verdict. */
export const verdictOf = (
  row: Selectable<Tables['annotations']> & { name: string },
): StoredVerdict => ({
  ...{ person: row.name, version: row.version, choice: row.choice, ranks: ranksIn(row.ranks) },
  ...{ strength: row.strength, probability: row.probability, comment: row.comment },
  ...{ flagged: row.flagged === 1, seconds: row.seconds, at: row.created_at },
  shown: row.shown === 1,
});

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
