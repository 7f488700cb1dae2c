// Tasks and verdicts of files into the store. Equal tasks are one, whatever the order of their
// answers, so that the same file can be read twice and a file that went out can come back.
import { contentText } from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import { addAdjudications, addGold, addPeople, addVerdicts } from './add-verdicts.ts';
import { insertAll } from './bulk-rows.ts';
import type { Database, Writing } from './database.ts';
import { keyOf, newId } from './ids.ts';
import type { Answer, TaskInput } from './items.ts';
import { setPriorities } from './priorities.ts';
import { readSettings } from './projects.ts';
import type { Tables } from './schema.ts';
import { shuffle } from './sides.ts';
import { countTasks } from './task-counts.ts';

export interface AddOptions {
  /** People who are to annotate each new task (default: the project's setting). */
  overlap?: number | null;
  /** Draws in [0, 1) that decide the order of each new task's answers. */
  random(): number;
}

export interface Added {
  tasks: number;
  /** Tasks that were there already. */
  known: number;
  /** Verdicts that were not there already, new versions among them. */
  annotations: number;
  /** Verdicts that settle a task and were not there already. */
  adjudications: number;
  gold: number;
}

const BATCH = 500;

export async function addTasks(
  writing: Writing,
  projectId: string,
  inputs: readonly TaskInput[],
  { overlap, random }: AddOptions,
): Promise<Added> {
  const options = { random, overlap: overlap ?? (await readSettings(writing, projectId)).overlap };
  const total: Added = { tasks: 0, known: 0, annotations: 0, adjudications: 0, gold: 0 };
  const people = new Map<string, string>();
  for (let at = 0; at < inputs.length; at += BATCH) {
    const added = await addBatch(writing, projectId, inputs.slice(at, at + BATCH), options, people);
    for (const name of Object.keys(total) as (keyof Added)[]) total[name] += added[name];
  }
  return total;
}

interface Keyed {
  input: TaskInput;
  prompt: string;
  promptKey: string;
  contents: string[];
  answerKeys: string[];
  key: string;
}

function keyed(input: TaskInput): Keyed {
  const prompt = exactJson(input.prompt);
  const contents = input.answers.map(({ content }) => exactJson(content));
  const answerKeys = contents.map((one) => keyOf(one));
  const promptKey = keyOf(prompt);
  const key = keyOf(input.kind, promptKey, ...answerKeys.toSorted());
  return { input, prompt, promptKey, contents, answerKeys, key };
}

async function addBatch(
  writing: Writing,
  projectId: string,
  inputs: readonly TaskInput[],
  { overlap, random }: { overlap: number; random(): number },
  people: Map<string, string>,
): Promise<Added> {
  const created_at = new Date().toISOString();
  const items = inputs.map(keyed);
  const prompts = await addPrompts(writing, projectId, items, created_at);
  const answers = await addAnswers(writing, items, prompts);
  const tasks = await knownTasks(writing, projectId, items);
  const newTasks: Tables['tasks'][] = [];
  const newOrders: Tables['task_answers'][] = [];
  for (const { input, promptKey, answerKeys, key } of items) {
    if (tasks.has(key)) continue;
    const id = newId();
    const prompt_id = prompts.get(promptKey)!;
    const order = answerKeys.map((one) => answers.get(`${prompt_id} ${one}`)!);
    const lengths = new Map(order.map((one, at) => [one, lengthOf(input.answers[at]!)]));
    // What people saw stays as it was; otherwise the order is drawn.
    if (input.shown !== true) shuffle(order, random);
    tasks.set(key, { id, order });
    newTasks.push({
      ...{ id, project_id: projectId, prompt_id, key, kind: input.kind, overlap, created_at },
      columns: exactJson(input.columns ?? {}),
      lengths: JSON.stringify(order.map((one) => lengths.get(one))),
      ...uncounted,
    });
    for (const [position, answer_id] of order.entries())
      newOrders.push({ task_id: id, position, answer_id });
  }
  await insertAll(writing, 'tasks', newTasks);
  await insertAll(writing, 'task_answers', newOrders);
  const placed = items.map(({ input, promptKey, answerKeys, key }) => {
    const { id, order } = tasks.get(key)!;
    const prompt_id = prompts.get(promptKey)!;
    const own = answerKeys.map((one) => answers.get(`${prompt_id} ${one}`)!);
    // positions[i]: where the store has the file's answer i.
    return { input, id, positions: placesOf(own, order) };
  });
  await addPeople(writing, placed, people, created_at);
  const annotations = await addVerdicts(writing, projectId, placed, people, created_at);
  const adjudications = await addAdjudications(writing, projectId, placed, people, created_at);
  const gold = await addGold(writing, placed, created_at);
  await addPriorities(writing, projectId, placed);
  const changed = placed.filter(
    ({ input: { annotations: given, gold: known, adjudication } }) =>
      given.length > 0 || known != null || adjudication != null,
  );
  await countTasks(writing, [...new Set(changed.map(({ id }) => id))]);
  const known = items.length - newTasks.length;
  return { tasks: newTasks.length, known, annotations, adjudications, gold };
}

/** Ids of the tasks that inputs are, in their order; null for those that the project has not. */
export async function findTasks(
  database: Database,
  project: string,
  inputs: readonly TaskInput[],
): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (let at = 0; at < inputs.length; at += BATCH) {
    const items = inputs.slice(at, at + BATCH).map(keyed);
    const known = await knownTasks(database, project, items);
    found.push(...items.map(({ key }) => known.get(key)?.id ?? null));
  }
  return found;
}

/** The ids of a project's tasks. */
export async function taskIds(database: Database, project: string): Promise<Set<string>> {
  const rows = await database
    .selectFrom('tasks')
    .select('id')
    .where('project_id', '=', project)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** A later priority replaces an earlier one. */
async function addPriorities(
  writing: Writing,
  project: string,
  placed: readonly { input: TaskInput; id: string }[],
): Promise<void> {
  const bySource = new Map<string, Map<string, number>>();
  for (const { input, id } of placed) {
    if (input.priority == null) continue;
    const { value, source } = input.priority;
    const own = bySource.get(source) ?? new Map<string, number>();
    bySource.set(source, own.set(id, value));
  }
  for (const [source, priorities] of bySource)
    await setPriorities(writing, project, priorities, source);
}

/** A task without verdicts. */
const uncounted = {
  ...{ priority: 0, priority_source: null, is_gold: 0, taken: 0, verdicts: 0, skips: 0, flags: 0 },
  ...{ dispute: 0, adjudicated: 0, answered_at: null, votes: '' },
};

/** Equal answers of one task have different places. */
function placesOf(own: readonly string[], order: readonly string[]): number[] {
  const used = new Set<number>();
  return own.map((answer) => {
    const place = order.findIndex((one, at) => one === answer && !used.has(at));
    used.add(place);
    return place;
  });
}

async function addPrompts(
  writing: Writing,
  project_id: string,
  items: readonly Keyed[],
  created_at: string,
): Promise<Map<string, string>> {
  const keys = [...new Set(items.map(({ promptKey }) => promptKey))];
  const known = await writing
    .selectFrom('prompts')
    .select(['id', 'key'])
    .where('project_id', '=', project_id)
    .where('key', 'in', keys)
    .execute();
  const ids = new Map(known.map(({ id, key }) => [key, id]));
  const rows: Tables['prompts'][] = [];
  for (const { promptKey: key, prompt: content } of items) {
    if (ids.has(key)) continue;
    const id = newId();
    ids.set(key, id);
    rows.push({ id, project_id, key, content, created_at });
  }
  await insertAll(writing, 'prompts', rows);
  return ids;
}

/** @returns ids by `prompt key` */
async function addAnswers(
  writing: Writing,
  items: readonly Keyed[],
  prompts: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const known = await writing
    .selectFrom('answers')
    .select(['id', 'key', 'prompt_id'])
    .where('prompt_id', 'in', [...new Set(prompts.values())])
    .execute();
  const ids = new Map(known.map(({ id, key, prompt_id }) => [`${prompt_id} ${key}`, id]));
  const rows: Tables['answers'][] = [];
  for (const { input, promptKey, contents, answerKeys } of items) {
    const prompt_id = prompts.get(promptKey)!;
    for (const [at, answer] of input.answers.entries()) {
      const place = `${prompt_id} ${answerKeys[at]}`;
      if (ids.has(place)) continue;
      const id = newId();
      ids.set(place, id);
      rows.push({
        ...{ id, prompt_id, key: answerKeys[at]!, content: contents[at]! },
        ...detailsOf(answer),
      });
    }
  }
  await insertAll(writing, 'answers', rows);
  return ids;
}

/** Of the text, in characters. */
const lengthOf = ({ content }: Answer): number => contentText(content).length;

const detailsOf = ({ model, adapter, sampling }: Answer) => ({
  model: model ?? null,
  adapter: adapter ?? null,
  sampling: sampling == null ? null : exactJson(sampling),
});

async function knownTasks(
  writing: Writing | Database,
  projectId: string,
  items: readonly Keyed[],
): Promise<Map<string, { id: string; order: string[] }>> {
  const rows = await writing
    .selectFrom('tasks')
    .innerJoin('task_answers', 'task_answers.task_id', 'tasks.id')
    .select(['tasks.id', 'tasks.key', 'task_answers.answer_id'])
    .where('tasks.project_id', '=', projectId)
    .where('tasks.key', 'in', [...new Set(items.map(({ key }) => key))])
    .orderBy('task_answers.position')
    .execute();
  const known = new Map<string, { id: string; order: string[] }>();
  for (const { id, key, answer_id } of rows) {
    const one = known.get(key) ?? { id, order: [] };
    one.order.push(answer_id);
    known.set(key, one);
  }
  return known;
}
