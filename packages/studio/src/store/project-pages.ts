// What pages show of projects and their tasks.
import { type Content, contentText } from '@keel/align/data';
import { sql } from 'kysely';
import type { Database, Writing } from './database.ts';
import type { Adjudication, ListedClaim, StoredTask, StoredVerdict } from './items.ts';
import { contentContainsText } from './matching.ts';
import { adjudicationsOf, storedTask, storedVersions } from './reading.ts';
import type { Tables, TaskKind } from './schema.ts';
import { type JudgeSuggestion, suggestionsOf } from './suggestions.ts';

/** One project in a list. */
export interface ProjectOverview {
  id: string;
  name: string;
  createdAt: string;
  tasks: number;
  /** Tasks with as many verdicts as are to be given. */
  finished: number;
  /** Tasks whose right verdict is known. */
  gold: number;
  /** Newest verdicts, without skips. */
  verdicts: number;
  people: number;
  /** When the newest verdict was given (ISO 8601); null: none yet. */
  lastActivity: string | null;
}

/** All projects with what is in them, by name. */
export async function readOverview(database: Database): Promise<ProjectOverview[]> {
  const projects = await database
    .selectFrom('projects')
    .leftJoin('tasks', 'tasks.project_id', 'projects.id')
    .select(['projects.id', 'projects.name', 'projects.created_at'])
    .select(({ fn }) => [
      fn.count('tasks.id').as('tasks'),
      fn.sum('tasks.verdicts').as('verdicts'),
      fn.sum('tasks.is_gold').as('gold'),
      fn.max('tasks.answered_at').as('last'),
    ])
    .select(sql`sum(case when tasks.verdicts >= tasks.overlap then 1 else 0 end)`.as('finished'))
    .groupBy(['projects.id', 'projects.name', 'projects.created_at'])
    .orderBy('projects.name')
    .execute();
  // Grouped first: to count distinct ones, PostgreSQL would sort all verdicts.
  const people = await database
    .selectFrom((from) =>
      from
        .selectFrom('annotations')
        .select(['project_id', 'person_id'])
        .groupBy(['project_id', 'person_id'])
        .as('each'),
    )
    .select(['project_id', ({ fn }) => fn.countAll().as('people')])
    .groupBy('project_id')
    .execute();
  const peopleOf = new Map(people.map((one) => [one.project_id, Number(one.people)]));
  return projects.map(({ id, name, created_at, last, ...counts }) => ({
    ...{ id, name, createdAt: created_at, lastActivity: last, people: peopleOf.get(id) ?? 0 },
    ...{ tasks: Number(counts.tasks), finished: Number(counts.finished ?? 0) },
    ...{ gold: Number(counts.gold ?? 0), verdicts: Number(counts.verdicts ?? 0) },
  }));
}

/** Which tasks are listed: those that fit all of it. */
export interface TaskFilter {
  /** Without a verdict, with too few, or with as many as are to be given. */
  state?: 'new' | 'started' | 'finished';
  /** Text that the prompt contains. */
  text?: string;
  /** Whether people disagree. */
  disputed?: boolean;
  /** Whether somebody flagged it, or skipped it. */
  flagged?: boolean;
  skipped?: boolean;
  gold?: boolean;
  adjudicated?: boolean;
}

/** Which part of a list, and in which order. */
export interface Paging {
  /** Default: 50. */
  limit?: number;
  offset?: number;
  /** As they were added, most disputed first, largest priority first, or newest verdict first. */
  sort?: 'added' | 'dispute' | 'priority' | 'newest';
}

/** One task in a list. */
export interface ListedTask {
  id: string;
  kind: TaskKind;
  /** The beginning of the prompt's text. */
  prompt: string;
  answers: number;
  overlap: number;
  /** People who hold it or have a verdict on it. */
  taken: number;
  verdicts: number;
  skips: number;
  flags: number;
  /** Share of the pairs of people who disagree, from 0 to 1. */
  dispute: number;
  gold: boolean;
  adjudicated: boolean;
  priority: number;
  prioritySource: string | null;
  createdAt: string;
  answeredAt: string | null;
}

/** Characters of a prompt in a list. */
const SHOWN = 300;

/** @returns one page of tasks, and how many tasks fit the filter */
export async function listTasks(
  database: Database,
  project: string,
  { state, text, disputed, flagged, skipped, gold, adjudicated }: TaskFilter,
  { limit = 50, offset = 0, sort = 'added' }: Paging,
  postgres: boolean,
): Promise<{ total: number; tasks: ListedTask[] }> {
  let query = database.selectFrom('tasks').where('tasks.project_id', '=', project);
  if (state === 'new') query = query.where('verdicts', '=', 0);
  else if (state === 'started')
    query = query.where('verdicts', '>', 0).whereRef('verdicts', '<', 'overlap');
  else if (state === 'finished') query = query.whereRef('verdicts', '>=', 'overlap');
  for (const [column, wanted] of [
    ['dispute', disputed],
    ['flags', flagged],
    ['skips', skipped],
    ['is_gold', gold],
    ['adjudicated', adjudicated],
  ] as const)
    if (wanted !== undefined) query = query.where(column, wanted ? '>' : '=', 0);
  if (text !== undefined) {
    const found = database
      .selectFrom('prompts')
      .select('id')
      .where('project_id', '=', project)
      .where(contentContainsText(sql`content`, text, postgres));
    query = query.where('prompt_id', 'in', found);
  }
  const orders = { dispute: 'dispute', priority: 'priority', newest: 'answered_at' } as const;
  const ordered = query
    .$if(sort === 'newest', (one) =>
      one.orderBy(sql`case when answered_at is null then 1 else 0 end`),
    )
    .$if(sort !== 'added', (one) => one.orderBy(orders[sort as keyof typeof orders], 'desc'))
    .$if(sort === 'dispute', (one) => one.orderBy('verdicts', 'desc'))
    .orderBy('tasks.id')
    .limit(limit)
    .offset(offset);
  const counting = async (): Promise<number> => {
    const { total } = await query
      .select(({ fn }) => fn.countAll().as('total'))
      .executeTakeFirstOrThrow();
    return Number(total);
  };
  let page: Tables['tasks'][];
  let total: number;
  if (text === undefined) {
    total = await counting();
    page = await ordered.selectAll().execute();
  } else {
    // All prompts are searched: once, and not again for the number.
    const found = await ordered
      .select(({ fn }) => ['tasks.id', fn.countAll().over().as('total')])
      .execute();
    const ids = found.map(({ id }) => id);
    total = found.length === 0 && offset > 0 ? await counting() : Number(found[0]?.total ?? 0);
    const rows =
      ids.length === 0
        ? []
        : await database.selectFrom('tasks').selectAll().where('id', 'in', ids).execute();
    page = rows.sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
  }
  if (page.length === 0) return { total, tasks: [] };
  const prompts = await database
    .selectFrom('prompts')
    .select(['id', 'content'])
    .where('id', 'in', [...new Set(page.map(({ prompt_id }) => prompt_id))])
    .execute();
  const promptOf = new Map(prompts.map(({ id, content }) => [id, content]));
  const tasks = page.map((row) => ({
    ...{ id: row.id, kind: row.kind, overlap: row.overlap, taken: row.taken },
    ...{ verdicts: row.verdicts, skips: row.skips, flags: row.flags, dispute: row.dispute },
    ...{ gold: row.is_gold === 1, adjudicated: row.adjudicated === 1, priority: row.priority },
    ...{ prioritySource: row.priority_source, createdAt: row.created_at },
    ...{ answeredAt: row.answered_at, answers: (JSON.parse(row.lengths) as number[]).length },
    prompt: contentText(JSON.parse(promptOf.get(row.prompt_id)!) as Content).slice(0, SHOWN),
  }));
  return { total, tasks };
}

/** Everything that the store has of a task. */
export interface TaskDetail extends StoredTask {
  project: string;
  /** Every version of every verdict: of each person from the oldest on. */
  versions: readonly StoredVerdict[];
  claims: readonly ListedClaim[];
  /** Every version, oldest first. */
  adjudications: readonly Adjudication[];
  /** What judges expect, by their names. */
  suggestions: readonly JudgeSuggestion[];
  priority: number;
  prioritySource: string | null;
  dispute: number;
  createdAt: string;
}

/** @throws RangeError for an unknown task */
export async function readTaskDetail(database: Database, id: string): Promise<TaskDetail> {
  const task = await storedTask(database, id);
  if (task === null) throw new RangeError(`there is no task ${id}`);
  const row = await database
    .selectFrom('tasks')
    .select(['project_id', 'priority', 'priority_source', 'dispute', 'created_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const claims = await database
    .selectFrom('claims')
    .innerJoin('people', 'people.id', 'claims.person_id')
    .select(['people.name', 'state', 'claimed_at', 'reason', 'priority', 'priority_source'])
    .where('task_id', '=', id)
    .orderBy('claimed_at')
    .orderBy('people.name')
    .execute();
  return {
    ...task,
    ...{ project: row.project_id, priority: row.priority, prioritySource: row.priority_source },
    ...{ dispute: row.dispute, createdAt: row.created_at },
    versions: await storedVersions(database, id, task.answers.length),
    claims: claims.map(({ name, state, claimed_at, reason, priority, priority_source }) => ({
      ...{ person: name, state, at: claimed_at, reason, priority },
      prioritySource: priority_source,
    })),
    adjudications: (await adjudicationsOf(database, [id])).get(id) ?? [],
    suggestions: await suggestionsOf(database, id),
  };
}

/** @throws RangeError for a name that is empty or that another project has */
export async function renameProject(
  writing: Writing,
  project: string,
  name: string,
): Promise<void> {
  if (name.trim() === '') throw new RangeError('a project needs a name');
  const other = await writing
    .selectFrom('projects')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  if (other !== undefined && other.id !== project)
    throw new RangeError(`there is already a project ${name}. Choose another name`);
  const { numUpdatedRows } = await writing
    .updateTable('projects')
    .set({ name })
    .where('id', '=', project)
    .executeTakeFirstOrThrow();
  if (Number(numUpdatedRows) === 0) throw new RangeError(`there is no project ${project}`);
}

/** Deletes a project with everything in it; people stay. @returns how much was deleted */
export async function deleteProject(
  writing: Writing,
  project: string,
): Promise<{ tasks: number; verdicts: number; battles: number }> {
  const count = async (table: 'tasks' | 'annotations' | 'battles'): Promise<number> => {
    const { all } = await writing
      .selectFrom(table)
      .select(({ fn }) => fn.countAll().as('all'))
      .where('project_id', '=', project)
      .executeTakeFirstOrThrow();
    return Number(all);
  };
  const deleted = {
    tasks: await count('tasks'),
    verdicts: await count('annotations'),
    battles: await count('battles'),
  };
  const tasks = writing.selectFrom('tasks').select('id').where('project_id', '=', project);
  const prompts = writing.selectFrom('prompts').select('id').where('project_id', '=', project);
  for (const table of ['adjudications', 'annotations', 'battles'] as const)
    await writing.deleteFrom(table).where('project_id', '=', project).execute();
  for (const table of [
    'claims',
    'gold',
    'shown_suggestions',
    'suggestions',
    'task_answers',
  ] as const)
    await writing.deleteFrom(table).where('task_id', 'in', tasks).execute();
  await writing.deleteFrom('tasks').where('project_id', '=', project).execute();
  await writing.deleteFrom('answers').where('prompt_id', 'in', prompts).execute();
  for (const table of ['prompts', 'guidelines', 'project_members', 'rounds'] as const)
    await writing.deleteFrom(table).where('project_id', '=', project).execute();
  const { numDeletedRows } = await writing
    .deleteFrom('projects')
    .where('id', '=', project)
    .executeTakeFirstOrThrow();
  if (Number(numDeletedRows) === 0) throw new RangeError(`there is no project ${project}`);
  return deleted;
}
