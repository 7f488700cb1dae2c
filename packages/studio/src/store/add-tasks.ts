// Tasks and verdicts of files into the store. Equal tasks are one, whatever the order of their
// answers, so that the same file can be read twice and a file that went out can come back.
import { contentText } from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import type { Transaction } from 'kysely';
import { keyOf, newId } from './ids.ts';
import type { Answer, NamedVerdict, TaskInput } from './items.ts';
import type { Choice, Tables } from './schema.ts';

export interface AddOptions {
  /** People who are to annotate each task. */
  overlap: number;
  /** Draws in [0, 1) that decide the order in which answers are shown. */
  random(): number;
}

export interface Added {
  tasks: number;
  /** Tasks that were there already. */
  known: number;
  /** Verdicts that were not there already, new versions among them. */
  annotations: number;
  gold: number;
}

const BATCH = 500;
/** SQLite has at most 32,766 parameters in a statement. */
const PARAMETERS = 30_000;

type Writing = Transaction<Tables>;

export async function addTasks(
  writing: Writing,
  projectId: string,
  inputs: readonly TaskInput[],
  options: AddOptions,
): Promise<Added> {
  const total: Added = { tasks: 0, known: 0, annotations: 0, gold: 0 };
  const people = new Map<string, string>();
  for (let at = 0; at < inputs.length; at += BATCH) {
    const added = await addBatch(writing, projectId, inputs.slice(at, at + BATCH), options, people);
    for (const name of ['tasks', 'known', 'annotations', 'gold'] as const)
      total[name] += added[name];
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
  { overlap, random }: AddOptions,
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
  const gold = await addGold(writing, placed, created_at);
  return { tasks: newTasks.length, known: items.length - newTasks.length, annotations, gold };
}

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
  writing: Writing,
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

interface Placed {
  input: TaskInput;
  id: string;
  positions: readonly number[];
}

/** Adds the ids of everybody whom the batch names. */
async function addPeople(
  writing: Writing,
  placed: readonly Placed[],
  people: Map<string, string>,
  created_at: string,
): Promise<void> {
  const named = placed.flatMap(({ input }) => input.annotations.map(({ person }) => person));
  const missing = [...new Set(named)].filter((name) => !people.has(name));
  if (missing.length === 0) return;
  const rows = missing.map((name) => ({ id: newId(), name, created_at }));
  for (const part of parts(rows, 3))
    await writing
      .insertInto('people')
      .values(part)
      .onConflict((one) => one.column('name').doNothing())
      .execute();
  for (const part of parts(missing, 1)) {
    const found = await writing
      .selectFrom('people')
      .select(['id', 'name'])
      .where('name', 'in', part)
      .execute();
    for (const { id, name } of found) people.set(name, id);
  }
}

async function addVerdicts(
  writing: Writing,
  project_id: string,
  placed: readonly Placed[],
  people: ReadonlyMap<string, string>,
  now: string,
): Promise<number> {
  const annotated = placed.filter(({ input }) => input.annotations.length > 0);
  if (annotated.length === 0) return 0;
  const ids = [...new Set(annotated.map(({ id }) => id))];
  const before = await writing
    .selectFrom('annotations')
    .selectAll()
    .where('task_id', 'in', ids)
    .orderBy('version')
    .execute();
  const newest = new Map(before.map((one) => [`${one.task_id} ${one.person_id}`, one]));
  const claims = await writing
    .selectFrom('claims')
    .selectAll()
    .where('task_id', 'in', ids)
    .execute();
  const slots = new Map<string, number>();
  const claimed = new Map(claims.map((one) => [`${one.task_id} ${one.person_id}`, one]));
  for (const { task_id, slot } of claims)
    slots.set(task_id, Math.max(slots.get(task_id) ?? 0, slot + 1));
  const rows: Tables['annotations'][] = [];
  const newClaims: Tables['claims'][] = [];
  for (const { input, id: task_id, positions } of annotated) {
    const shown = Number(input.shown === true && positions.every((place, at) => place === at));
    for (const verdict of input.annotations) {
      const person_id = people.get(verdict.person)!;
      const place = `${task_id} ${person_id}`;
      const last = newest.get(place);
      const row = rowOf(placedVerdict(verdict, positions), now);
      if (last !== undefined && sameVerdict(last, row)) continue;
      const version = (last?.version ?? 0) + 1;
      const full = { id: newId(), project_id, task_id, person_id, version, shown, ...row };
      newest.set(place, full);
      rows.push(full);
      const claim = claimed.get(place);
      if (claim === undefined) {
        const slot = slots.get(task_id) ?? 0;
        slots.set(task_id, slot + 1);
        const made = { task_id, slot, person_id, state: 'done' as const, claimed_at: now };
        claimed.set(place, made);
        newClaims.push(made);
      } else if (claim.state === 'held') {
        await finishClaim(writing, task_id, person_id);
      }
    }
  }
  await insertAll(writing, 'annotations', rows);
  await insertAll(writing, 'claims', newClaims);
  return rows.length;
}

export const finishClaim = (writing: Writing, task: string, person: string): Promise<unknown> =>
  writing
    .updateTable('claims')
    .set({ state: 'done' })
    .where('task_id', '=', task)
    .where('person_id', '=', person)
    .execute();

/** A verdict by the file's positions, by those of the store. */
function placedVerdict<Given extends Pick<NamedVerdict, 'choice' | 'ranks' | 'probability'>>(
  verdict: Given,
  positions: readonly number[],
): Given {
  const { choice, ranks, probability } = verdict;
  const swapped = positions.length === 2 && positions[0] === 1;
  const turned: Partial<Record<Choice, Choice>> = swapped ? { left: 'right', right: 'left' } : {};
  const moved = ranks?.map((_, at) => ranks[positions.indexOf(at)]!);
  return {
    ...verdict,
    choice: choice === null ? null : (turned[choice] ?? choice),
    ...(moved && { ranks: moved }),
    ...(probability != null && swapped && { probability: 1 - probability }),
  };
}

/** The columns of a verdict. */
export const rowOf = (verdict: Omit<NamedVerdict, 'person'>, now: string) => ({
  choice: verdict.choice,
  ranks: verdict.ranks == null ? null : JSON.stringify(verdict.ranks),
  strength: verdict.strength ?? null,
  probability: verdict.probability ?? null,
  flagged: Number(verdict.flagged ?? false),
  comment: verdict.comment ?? null,
  seconds: verdict.seconds ?? null,
  guidelines: null as number | null,
  created_at: verdict.at ?? now,
});

/** Whether a verdict says nothing new. What a file has no place for is no change. */
const sameVerdict = (
  one: Tables['annotations'],
  other: Pick<Tables['annotations'], (typeof optional)[number] | 'choice' | 'ranks' | 'flagged'>,
): boolean =>
  one.choice === other.choice &&
  one.ranks === other.ranks &&
  (other.flagged === 0 || one.flagged === 1) &&
  optional.every((name) => other[name] === null || one[name] === other[name]);

const optional = ['strength', 'probability', 'comment'] as const;

/** A later gold verdict replaces an earlier one. */
async function addGold(
  writing: Writing,
  placed: readonly Placed[],
  created_at: string,
): Promise<number> {
  const rows = new Map<string, Tables['gold']>();
  for (const { input, id: task_id, positions } of placed) {
    if (input.gold == null || input.gold.choice === null) continue;
    const { choice, ranks } = placedVerdict(input.gold, positions);
    const text = ranks == null ? null : JSON.stringify(ranks);
    rows.set(task_id, { task_id, choice: choice!, ranks: text, created_at });
  }
  if (rows.size === 0) return 0;
  await writing
    .deleteFrom('gold')
    .where('task_id', 'in', [...rows.keys()])
    .execute();
  await insertAll(writing, 'gold', [...rows.values()]);
  return rows.size;
}

async function insertAll<Name extends keyof Tables>(
  writing: Writing,
  table: Name,
  rows: readonly Tables[Name][],
): Promise<void> {
  if (rows.length === 0) return;
  const width = Object.keys(rows[0]!).length;
  for (const part of parts(rows, width)) {
    // biome-ignore lint/suspicious/noExplicitAny: Kysely cannot see that they are this table's
    const values = part as any;
    await writing.insertInto(table).values(values).execute();
  }
}

/** Rows in parts that fit into one statement. */
function* parts<Row>(rows: readonly Row[], width: number): Iterable<Row[]> {
  const size = Math.floor(PARAMETERS / width);
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

/** Fisher and Yates. */
function shuffle(list: string[], random: () => number): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other]!, list[at]!];
  }
}
