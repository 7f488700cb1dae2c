// The loop of labels, training and new answers. A round is a recipe: a reward model, a policy, its
// answers, and those pairs of them that a verdict would teach most about.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Content } from '@keel/align/data';
import { contentText, isChat } from '@keel/align/data';
import { writeFileAtomic } from '@keel/align/internal';
import { identityOf, identityRuns, type ProcessIdentity } from '@keel/align/runs';
import { type Proportion, resamplingRandom, wilsonInterval } from '@keel/statistics';
import { stringify } from 'yaml';
import { type OpenPair, openPairs } from '../asking/open-pairs.ts';
import { startKeel } from '../processes/start-keel.ts';
import type { TaskInput } from '../store/items.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import type { Tables } from '../store/schema.ts';
import { appendedRows } from '../watching/numbers/metrics-rows.ts';
import { keyOfContent, type RoundColumn } from './round-column.ts';
import { type RoundOptions, roundOptions } from './round-options.ts';
import { asChat, type RoundRows, roundRows } from './round-rows.ts';

/** Fewer pairs would teach nothing that could be measured. */
const LEAST_ROWS = 4;

/** A round as it is in the store. */
export interface Round {
  number: number;
  /** Path of its run below the folder of runs. */
  run: string;
  options: RoundOptions;
  trainRows: number;
  heldOutRows: number;
  createdAt: string;
  /** How many tasks came back; null: not yet. */
  newTasks: number | null;
  /** Of held-out pairs, those whose chosen answer got the higher reward; null: not measured yet. */
  accuracy: Proportion | null;
}

export interface RoundsOptions {
  store: PreferenceStore;
  /** The folder of runs. */
  runs: string;
  /** The words that run Keel's command line; null: nothing can be trained. */
  keel: readonly string[] | null;
}

export class Rounds {
  readonly #options: RoundsOptions;
  /** Collecting of a project waits for that before it. */
  readonly #collecting = new Map<string, Promise<number>>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Rounds of a project, the first one first. */
  async list(project: string): Promise<Round[]> {
    const rows = await this.#options.store.database
      .selectFrom('rounds')
      .selectAll()
      .where('project_id', '=', project)
      .orderBy('number')
      .execute();
    return rows.map((row) => this.#roundOf(row));
  }

  /**
   * Starts a round on the labels of the project so far.
   * @param by who starts it, for the log of actions
   * @throws RangeError if there are too few
   */
  async start(
    project: string,
    name: string,
    given: RoundOptions,
    by: string | null = null,
  ): Promise<Round> {
    const { store, runs, keel } = this.#options;
    if (keel === null)
      throw new RangeError(
        'this program cannot start trainings. Start the Studio with keel studio',
      );
    const before = await this.list(project);
    const number = (before.at(-1)?.number ?? 0) + 1;
    const pairs = await roundRows(store, project, 'pairs');
    const thumbs = given.method === 'kto' ? await roundRows(store, project, 'thumbs') : null;
    demandRows(pairs);
    const group = slugOf(name, project);
    const folder = join(runs, group);
    const inputs = join(folder, `round-${number}-input`);
    mkdirSync(inputs, { recursive: true });
    const run = `${group}/round-${number}`;
    const prompts = await this.#prompts(project, given.prompts, number);
    const files = {
      ...{ pairs: pairs.train, pairsHeldOut: pairs.heldOut, prompts },
      open: await openChats(store, project),
      ...(thumbs && { thumbs: thumbs.train, thumbsHeldOut: thumbs.heldOut }),
      labelled: [...pairs.train, ...pairs.heldOut],
    };
    const paths = Object.fromEntries(
      Object.entries(files)
        .filter(([, rows]) => rows.length > 0)
        .map(([file, rows]) => [file, writeRows(join(inputs, `${file}.jsonl`), rows)]),
    );
    const recipe = join(inputs, 'recipe.yaml');
    writeFileAtomic(
      recipe,
      stringify(recipeOf(given, paths, { output: join(runs, run), openCount: files.open.length })),
    );
    const now = new Date().toISOString();
    const givesNothing = given.newTasks === 0 && files.open.length === 0;
    const row: Tables['rounds'] = {
      ...{ project_id: project, number, run, options: JSON.stringify(given), created_at: now },
      ...{ train_rows: pairs.train.length, held_out_rows: pairs.heldOut.length },
      ...(givesNothing
        ? { collected_at: now, new_tasks: 0 }
        : { collected_at: null, new_tasks: null }),
    };
    // First the row: of two starts at the same time, one has this number.
    await store.database.insertInto('rounds').values(row).execute();
    await store.noteAction({
      ...{ person: by, action: 'round started', project: name, details: { number, run } },
    });
    this.#startProcess(run, keel);
    return this.#roundOf(row);
  }

  /**
   * Starts the process of a round again that ended before it made a run.
   * @param by who starts it, for the log of actions
   * @throws RangeError if there is no such round, or its process runs
   */
  async startAgain(
    project: string,
    name: string,
    number: number,
    by: string | null = null,
  ): Promise<void> {
    const { store, keel } = this.#options;
    const round = (await this.list(project)).find((one) => one.number === number);
    if (round === undefined) throw new RangeError(`there is no round ${number}`);
    if (keel === null) throw new RangeError('this program cannot start trainings');
    if (this.isProcessAlive(round)) throw new RangeError(`round ${number} is running`);
    const details = { number, run: round.run, again: true };
    await store.noteAction({ person: by, action: 'round started', project: name, details });
    this.#startProcess(round.run, keel);
  }

  #startProcess(run: string, keel: readonly string[]): void {
    const { pid } = startKeel(['align', join(this.#options.runs, `${run}-input`, 'recipe.yaml')], {
      ...{ keel, folder: process.cwd(), output: this.#fileOf(run, 'log') },
    });
    // Another start of the Studio finds out whether it still runs.
    writeFileAtomic(this.#fileOf(run, 'process.json'), `${JSON.stringify(identityOf(pid!))}\n`);
  }

  /** Whether the process that a round was started in still runs. */
  isProcessAlive({ run }: Pick<Round, 'run'>): boolean {
    try {
      const identity = JSON.parse(readFileSync(this.#fileOf(run, 'process.json'), 'utf8'));
      return identityRuns(identity as ProcessIdentity);
    } catch {
      return false;
    }
  }

  /** The end of what the process of a round printed. */
  log({ run }: Pick<Round, 'run'>, most = 2000): string {
    const path = this.#fileOf(run, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-most).trim() : '';
  }

  /** A file next to the folder of a round's run. */
  #fileOf(run: string, ending: string): string {
    return join(this.#options.runs, `${run}.${ending}`);
  }

  /**
   * Adds the pairs that finished rounds ask for as tasks, once, and orders the open tasks by what
   * a verdict would teach the new reward model.
   * @returns how many tasks are new
   */
  collect(project: string): Promise<number> {
    const before = this.#collecting.get(project) ?? Promise.resolve(0);
    const next = before.catch(() => 0).then(() => this.#collect(project));
    this.#collecting.set(project, next);
    return next;
  }

  /** Collects from all projects with rounds that have not been collected. */
  async collectAll(): Promise<void> {
    const waiting = await this.#options.store.database
      .selectFrom('rounds')
      .select('project_id')
      .distinct()
      .where('collected_at', 'is', null)
      .execute();
    for (const { project_id } of waiting) await this.collect(project_id);
  }

  async #collect(project: string): Promise<number> {
    const { store, runs } = this.#options;
    const waiting = await store.database
      .selectFrom('rounds')
      .selectAll()
      .where('project_id', '=', project)
      .where('collected_at', 'is', null)
      .execute();
    let added = 0;
    for (const { number, run, options } of waiting) {
      const chosen = roundOptions.parse(JSON.parse(options));
      const [file, open] = ['ask', 'open'].map((stage) => join(runs, run, stage, 'asked.jsonl'));
      if (!existsSync(chosen.newTasks > 0 ? file! : open!)) continue;
      const waitingTasks = existsSync(open!) ? (rowsIn(open!) as unknown as OpenRow[]) : [];
      await this.#prioritise(
        project,
        waitingTasks.map(({ task, ask }) => ({ task, why: ask.why, value: Number(ask[ask.why]) })),
      );
      const asked = existsSync(file!) ? (rowsIn(file!) as unknown as AskedRow[]) : [];
      added += await this.#addAsked(project, number, asked, chosen);
    }
    return added;
  }

  async #addAsked(
    project: string,
    number: number,
    asked: readonly AskedRow[],
    { method }: RoundOptions,
  ): Promise<number> {
    const { store } = this.#options;
    const { overlap } = await store.settings(project);
    const texts = await this.#textPrompts(project);
    const model = method === 'none' ? 'base' : `round-${number}`;
    const inputs = asked.map((row) => taskOf(row, texts, number, model));
    const added = await store.addTasks(project, inputs, {
      ...{ overlap, random: resamplingRandom(number) },
    });
    await store.database
      .updateTable('rounds')
      .set({ collected_at: new Date().toISOString(), new_tasks: added.tasks })
      .where('project_id', '=', project)
      .where('number', '=', number)
      .execute();
    return added.tasks;
  }

  async #prioritise(
    project: string,
    tasks: readonly { task: string; why: string; value: number }[],
  ): Promise<void> {
    const [first] = tasks;
    if (first === undefined) return;
    const priorities = new Map(tasks.map(({ task, value }) => [task, value]));
    await this.#options.store.setPriorities(project, priorities, sourceOf(first.why));
  }

  /** Prompts of the project, drawn at random, as chats. */
  async #prompts(project: string, most: number, seed: number): Promise<{ prompt: Content }[]> {
    const random = resamplingRandom(seed);
    const drawn = (await this.#contents(project))
      .map((content) => ({ content, place: random() }))
      .sort((a, b) => a.place - b.place)
      .slice(0, most);
    return drawn.map(({ content }) => ({ prompt: asChat(content, 'user') }));
  }

  /** Prompts that are texts in the store: their new answers are texts too. */
  async #textPrompts(project: string): Promise<Set<string>> {
    const contents = await this.#contents(project);
    return new Set(contents.filter((one): one is string => !isChat(one)));
  }

  /** All prompts of a project, in the order in which they were added. */
  async #contents(project: string): Promise<Content[]> {
    const rows = await this.#options.store.database
      .selectFrom('prompts')
      .select('content')
      .where('project_id', '=', project)
      .orderBy('id')
      .execute();
    return rows.map(({ content }) => JSON.parse(content) as Content);
  }

  #roundOf(row: Tables['rounds']): Round {
    return {
      ...{ number: row.number, run: row.run, createdAt: row.created_at },
      options: roundOptions.parse(JSON.parse(row.options)),
      ...{ trainRows: row.train_rows, heldOutRows: row.held_out_rows, newTasks: row.new_tasks },
      accuracy: accuracyOf(join(this.#options.runs, row.run, 'reward'), row.held_out_rows),
    };
  }
}

/** Who set a priority. */
const sourceOf = (why: string): string => `reward model's ${why}`;

interface AskedRow {
  prompt: Content;
  completions: Content[];
  ask: { why: string; probability: number } & Record<string, unknown>;
}

/** A task that was open when the round began. */
interface OpenRow extends AskedRow {
  task: string;
}

/** The open pairs as chats, which models are trained on. */
const openChats = async (store: PreferenceStore, project: string): Promise<OpenPair[]> =>
  (await openPairs(store, project)).map(({ prompt, completions, ...row }) => ({
    ...row,
    prompt: asChat(prompt, 'user'),
    completions: completions.map((content) => asChat(content, 'assistant')),
  }));

/** A pair of new answers as a task, in the form that the project's prompt has. */
function taskOf(
  { prompt, completions, ask }: AskedRow,
  texts: ReadonlySet<string>,
  number: number,
  model: string,
): TaskInput {
  const plain = isChat(prompt) && prompt.length === 1 ? contentText(prompt) : null;
  const isText = plain !== null && texts.has(plain);
  const { why, probability } = ask;
  const contents = completions.map((content) => (isText ? contentText(content) : content));
  const round: RoundColumn = {
    ...{ number, why, value: why === 'random' ? 0 : Number(ask[why]) },
    likes: { [keyOfContent(contents[0]!)]: probability },
  };
  return {
    ...{ kind: 'pair', annotations: [], columns: { round } },
    prompt: isText ? plain : prompt,
    answers: contents.map((content) => ({ content, model })),
    priority: why === 'random' ? null : { value: round.value, source: sourceOf(why) },
  };
}

function demandRows({ train, heldOut }: RoundRows): void {
  if (train.length >= LEAST_ROWS) return;
  throw new RangeError(
    `a round needs at least ${LEAST_ROWS} labelled pairs to train on, and there are ${train.length} (${heldOut.length} more are held out). Annotate more tasks first`,
  );
}

/** The stages of a round. */
function recipeOf(
  { method, model, epochs, maxSteps, newTasks, samples, maxNewTokens, randomShare }: RoundOptions,
  paths: Readonly<Record<string, string>>,
  { output, openCount }: { output: string; openCount: number },
): object {
  const steps = { epochs, ...(maxSteps !== null && { max_steps: maxSteps }) };
  const evaluated = (file: string) => (paths[file] === undefined ? {} : { eval_data: paths[file] });
  const policy =
    method === 'none'
      ? {}
      : method === 'dpo'
        ? { dpo: { data: paths.pairs, ...evaluated('pairsHeldOut'), ...steps } }
        : { kto: { data: paths.thumbs, ...evaluated('thumbsHeldOut'), ...steps } };
  return {
    output,
    defaults: { lora: true, ...(model !== null && { model }) },
    stages: {
      // Several heads, whose disagreement says what a verdict would teach.
      reward: { data: paths.pairs, ...evaluated('pairsHeldOut'), heads: 3, ...steps },
      ...(paths.open !== undefined && {
        open: {
          ...{ verb: 'ask', data: [paths.open], reward: ['${stages.reward}'] },
          ...{ count: openCount, random_share: 0, per_prompt: openCount, on_bad_row: 'skip' },
        },
      }),
      ...policy,
      ...(newTasks > 0 && {
        generate: {
          ...(method !== 'none' && { model: `\${stages.${method}}` }),
          ...{ prompts: paths.prompts, samples, temperature: 1, max_new_tokens: maxNewTokens },
        },
        ask: {
          ...{ data: ['${stages.generate}'], reward: ['${stages.reward}'] },
          ...{ count: newTasks, random_share: randomShare, labelled: [paths.labelled] },
          on_bad_row: 'skip',
        },
      }),
    },
  };
}

/** @returns the path */
function writeRows(path: string, rows: readonly object[]): string {
  writeFileAtomic(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const rowsIn = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** The last accuracy on held-out pairs that a reward model's run recorded. */
function accuracyOf(stage: string, count: number): Proportion | null {
  const path = join(stage, 'metrics.jsonl');
  if (count === 0 || !existsSync(path)) return null;
  // The run may be writing its last row.
  const value = appendedRows(path, null).rows.findLast(
    ({ eval_accuracy }) => eval_accuracy !== undefined,
  )?.eval_accuracy;
  if (value === undefined || !Number.isFinite(value)) return null;
  return { value, count, interval: wilsonInterval(Math.round(value * count), count) };
}

/** A folder's name for a project: readable, and no other project's. */
function slugOf(name: string, id: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  return `${words || 'project'}-${id.slice(-6)}`;
}
