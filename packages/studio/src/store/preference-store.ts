// The store of prompts, answers, tasks and what people said of them.
import { ConfigError, nearest } from '@keel/align/config';
import type { Transaction } from 'kysely';
import { type Added, type AddOptions, addTasks, finishClaim, rowOf } from './add-tasks.ts';
import { type ClaimOptions, claimTask } from './claiming.ts';
import { newId } from './ids.ts';
import {
  type StoredTask,
  type StoredVerdict,
  type TaskInput,
  type Verdict,
  verdictFault,
} from './items.ts';
import { type Database, openDatabase, shownDatabase } from './open-database.ts';
import {
  type AnnotationFilter,
  type ListedAnnotation,
  listAnnotations,
  readTasks,
  readVotes,
  type Votes,
  verdictOf,
} from './reading.ts';
import type { Tables } from './schema.ts';

/** Every write is one transaction: it is there as a whole, or not at all. */
export class PreferenceStore implements AsyncDisposable {
  /** The database without its password, for messages. */
  readonly name: string;
  readonly #database: Database;
  readonly #postgres: boolean;

  private constructor(name: string, database: Database, postgres: boolean) {
    this.name = name;
    this.#database = database;
    this.#postgres = postgres;
  }

  /**
   * @param name a SQLite file, which is created, or a URL that starts with `postgres://`
   * @throws Error for a database that cannot be opened, or that a newer Keel wrote
   */
  static async open(name: string): Promise<PreferenceStore> {
    const { database, postgres } = await openDatabase(name);
    return new PreferenceStore(shownDatabase(name), database, postgres);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.destroy();
  }

  /** For the other modules of this package that keep something in the store. */
  get database(): Database {
    return this.#database;
  }

  /** Whether the database is PostgreSQL; otherwise it is SQLite. */
  get postgres(): boolean {
    return this.#postgres;
  }

  async projects(): Promise<string[]> {
    const rows = await this.#database
      .selectFrom('projects')
      .select('name')
      .orderBy('name')
      .execute();
    return rows.map(({ name }) => name);
  }

  /** The id of a project. @throws ConfigError if there is none of this name */
  async project(name: string): Promise<string> {
    const found = await this.#database
      .selectFrom('projects')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirst();
    if (found !== undefined) return found.id;
    const all = await this.projects();
    const near = nearest(name, all);
    const advice =
      near !== null
        ? `Did you mean "${near}"?`
        : all.length === 0
          ? 'It is empty: import rows with `keel data import` first'
          : `Its projects are ${all.join(', ')}`;
    throw new ConfigError([`--project ${name}: ${this.name} has no such project. ${advice}`]);
  }

  /** The id of a project, which is created if there is none of this name. */
  async openProject(name: string): Promise<string> {
    const row = { id: newId(), name, created_at: new Date().toISOString() };
    return this.#write(async (writing) => {
      await writing
        .insertInto('projects')
        .values(row)
        .onConflict((one) => one.column('name').doNothing())
        .execute();
      const { id } = await writing
        .selectFrom('projects')
        .select('id')
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      return id;
    });
  }

  /** Adds a version of the guidelines, unless the newest one is the same. @returns its number */
  async saveGuidelines(project: string, text: string): Promise<number> {
    return this.#write(async (writing) => {
      const last = await newestGuidelines(writing, project);
      if (last?.text === text) return last.version;
      const version = (last?.version ?? 0) + 1;
      const created_at = new Date().toISOString();
      await writing
        .insertInto('guidelines')
        .values({ project_id: project, version, text, created_at })
        .execute();
      return version;
    });
  }

  /** The newest guidelines; null if there are none. */
  async guidelines(project: string): Promise<{ version: number; text: string } | null> {
    return (await newestGuidelines(this.#database, project)) ?? null;
  }

  /** Adds tasks and their verdicts. Tasks and verdicts that are there already stay as they are. */
  async addTasks(
    project: string,
    inputs: readonly TaskInput[],
    options: AddOptions,
  ): Promise<Added> {
    return this.#write((writing) => addTasks(writing, project, inputs, options));
  }

  /**
   * Gives a person a slot of a task. No two people get the same slot.
   * @returns the task's id; null if the person has nothing left to do
   */
  async claim(project: string, person: string, options: ClaimOptions = {}): Promise<string | null> {
    return this.#write(async (writing) => {
      const id = await personNamed(writing, person);
      return claimTask(writing, { project, person: id, postgres: this.#postgres }, options);
    });
  }

  /**
   * Adds a verdict as a new version. Once this returns, the verdict is on the disk.
   * @returns the version
   * @throws RangeError for an unknown task, one that the person has not claimed, and a verdict that
   *   does not fit it
   */
  async annotate(task: string, person: string, verdict: Verdict): Promise<number> {
    return this.#write(async (writing) => {
      const found = await writing
        .selectFrom('tasks')
        .select(['id', 'kind', 'project_id'])
        .where('id', '=', task)
        .executeTakeFirst();
      if (found === undefined) throw new RangeError(`there is no task ${task}`);
      const places = await writing
        .selectFrom('task_answers')
        .select('position')
        .where('task_id', '=', task)
        .execute();
      const fault = verdictFault(found.kind, places.length, verdict);
      if (fault !== null) throw new RangeError(`task ${task}: ${fault}`);
      const person_id = await personNamed(writing, person);
      // Verdicts of one person on one task follow each other; SQLite has one writer anyway.
      const claim = await writing
        .selectFrom('claims')
        .select('slot')
        .where('task_id', '=', task)
        .where('person_id', '=', person_id)
        .$if(this.#postgres, (query) => query.forUpdate())
        .executeTakeFirst();
      if (claim === undefined)
        throw new RangeError(`${person} has not claimed task ${task}. Claim it first`);
      const last = await writing
        .selectFrom('annotations')
        .select(({ fn }) => fn.max('version').as('version'))
        .where('task_id', '=', task)
        .where('person_id', '=', person_id)
        .executeTakeFirst();
      const version = (last?.version ?? 0) + 1;
      const guidelines = await newestGuidelines(writing, found.project_id);
      await writing
        .insertInto('annotations')
        .values({
          ...{ id: newId(), project_id: found.project_id, task_id: task, person_id, version },
          ...rowOf(verdict, new Date().toISOString()),
          ...{ shown: 1, guidelines: guidelines?.version ?? null },
        })
        .execute();
      await finishClaim(writing, task, person_id);
      return version;
    });
  }

  /** Every version of a person's verdict on a task, oldest first. */
  async versions(task: string, person: string): Promise<StoredVerdict[]> {
    const rows = await this.#database
      .selectFrom('annotations')
      .innerJoin('people', 'people.id', 'annotations.person_id')
      .selectAll('annotations')
      .select('people.name')
      .where('task_id', '=', task)
      .where('people.name', '=', person)
      .orderBy('version')
      .execute();
    return rows.map(verdictOf);
  }

  /** The newest verdicts of a project, by a filter. */
  annotations(project: string, filter: AnnotationFilter = {}): Promise<ListedAnnotation[]> {
    return listAnnotations(this.#database, project, filter);
  }

  /** What agreement is computed from. */
  votes(project: string): Promise<Votes> {
    return readVotes(this.#database, project);
  }

  /** All tasks of a project with their verdicts, in the order in which they were added. */
  tasks(project: string): AsyncIterable<StoredTask> {
    return readTasks(this.#database, project);
  }

  #write<Result>(work: (writing: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#database.transaction().execute(work);
  }
}

const newestGuidelines = (database: Database | Transaction<Tables>, project: string) =>
  database
    .selectFrom('guidelines')
    .select(['version', 'text'])
    .where('project_id', '=', project)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();

async function personNamed(writing: Transaction<Tables>, name: string): Promise<string> {
  const created_at = new Date().toISOString();
  await writing
    .insertInto('people')
    .values({ id: newId(), name, created_at })
    .onConflict((one) => one.column('name').doNothing())
    .execute();
  const { id } = await writing
    .selectFrom('people')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return id;
}
