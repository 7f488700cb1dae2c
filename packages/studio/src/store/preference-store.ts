// The store of prompts, answers, tasks and what people said of them.
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { AdminAction } from '../names.ts';
import {
  type ActionFilter,
  type LoggedAction,
  listActions,
  noteAction,
  projectName,
} from './action-log.ts';
import { type Added, type AddOptions, addTasks, findTasks, taskIds } from './add-tasks.ts';
import { adjudicateTask } from './adjudicating.ts';
import { annotateTask, lastTask, releaseTask, renewClaim, reopenTask } from './annotating.ts';
import {
  addTurn,
  type BattleCount,
  type BattleFilter,
  type BattleOptions,
  type BattleTurn,
  type BattleView,
  battleCounts,
  type GivenVote,
  listBattles,
  type SideStyles,
  type StoredBattle,
  saveStyles,
  sidesOf,
  startBattle,
  viewBattle,
  voteBattle,
  votedBattles,
} from './battles.ts';
import { type ClaimOptions, claimTask } from './claiming.ts';
import type { Database, Writing } from './database.ts';
import type {
  HistoryLine,
  NextTask,
  Pace,
  Progress,
  StoredTask,
  StoredVerdict,
  TaskInput,
  TaskView,
  Verdict,
} from './items.ts';
import { openDatabase, shownDatabase } from './open-database.ts';
import { setPriorities } from './priorities.ts';
import {
  deleteProject,
  type ListedTask,
  listTasks,
  type Paging,
  type ProjectOverview,
  readOverview,
  readTaskDetail,
  renameProject,
  type TaskDetail,
  type TaskFilter,
} from './project-pages.ts';
import {
  lockProject,
  newestGuidelines,
  openProject,
  personNamed,
  projectNamed,
  projectNames,
  readSettings,
  saveGuidelines,
  saveSettings,
} from './projects.ts';
import {
  type AnnotationFilter,
  type ListedAnnotation,
  listAnnotations,
  readTasks,
  readVersions,
} from './reading.ts';
import type { ProjectSettings, SettingsPatch } from './settings.ts';
import {
  type JudgeSuggestion,
  noteShown,
  type Suggestion,
  saveSuggestions,
  suggestedTasks,
  suggestionsFor,
  suggestionsOf,
} from './suggestions.ts';
import { historyOf, paceOf, progressOf, viewTask } from './viewing.ts';
import { readStreaks, readVotes, type SideRun, type Votes, type VotesOptions } from './votes.ts';

/** Tasks that change how a database should search. */
const MANY = 1000;

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

  /** The names of all projects. */
  projects(): Promise<string[]> {
    return projectNames(this.#database);
  }

  /** The id of a project. @throws ConfigError if there is none of this name */
  project(name: string): Promise<string> {
    return projectNamed(this.#database, name, this.name);
  }

  /** Whether there is a project with this id. */
  async hasProject(id: string): Promise<boolean> {
    const found = await this.#database
      .selectFrom('projects')
      .select('id')
      .where('id', '=', id)
      .executeTakeFirst();
    return found !== undefined;
  }

  /**
   * The id of a project, which is created if there is none of this name.
   * @param by who does it, for {@link actions}; so in the methods below
   */
  openProject(name: string, by: string | null = null): Promise<string> {
    return this.#write(async (writing) => {
      const { id, isNew } = await openProject(writing, name);
      if (isNew)
        await noteAction(writing, {
          ...{ person: by, action: 'project created', project: name, details: {} },
        });
      return id;
    });
  }

  /** All projects with what is in them, by name. */
  overview(): Promise<ProjectOverview[]> {
    return readOverview(this.#database);
  }

  /** @throws RangeError for an unknown project, and a name that is empty or taken */
  renameProject(project: string, name: string, by: string | null = null): Promise<void> {
    return this.#change(project, async (writing) => {
      const from = await projectName(writing, project);
      await renameProject(writing, project, name);
      if (from !== name)
        await noteAction(writing, {
          ...{ person: by, action: 'project renamed', project: name, details: { from } },
        });
    });
  }

  /** Deletes a project with everything in it; people stay. @throws RangeError if there is none */
  deleteProject(project: string, by: string | null = null): Promise<void> {
    return this.#change(project, async (writing) => {
      const name = await projectName(writing, project);
      const details = await deleteProject(writing, project);
      await noteAction(writing, {
        ...{ person: by, action: 'project deleted', project: name, details },
      });
    });
  }

  /** What the project asks of people, with the defaults. */
  settings(project: string): Promise<ProjectSettings> {
    return readSettings(this.#database, project);
  }

  /**
   * Changes some settings; the others stay as they are. A new overlap is that of all tasks.
   * @returns all settings
   * @throws RangeError that names every fault
   */
  saveSettings(
    project: string,
    patch: SettingsPatch,
    by: string | null = null,
  ): Promise<ProjectSettings> {
    return this.#change(project, async (writing) => {
      const before = await readSettings(writing, project);
      const after = await saveSettings(writing, project, patch);
      const changed = Object.entries(after).flatMap(([name, to]) => {
        const from = before[name as keyof ProjectSettings];
        return isDeepStrictEqual(from, to) ? [] : [[name, { from, to }] as const];
      });
      if (changed.length > 0)
        await this.#note(writing, project, by, 'settings changed', Object.fromEntries(changed));
      return after;
    });
  }

  /** Adds a version of the guidelines, unless the newest one is the same. @returns its number */
  saveGuidelines(project: string, text: string, by: string | null = null): Promise<number> {
    return this.#change(project, async (writing) => {
      const last = (await newestGuidelines(writing, project))?.version;
      const version = await saveGuidelines(writing, project, text);
      if (version !== last)
        await this.#note(writing, project, by, 'guidelines changed', { version });
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
    const added = await this.#change(project, (writing) =>
      addTasks(writing, project, inputs, options),
    );
    // PostgreSQL counts by itself, but later: until then it plans for empty tables.
    if (this.#postgres && added.tasks >= MANY)
      await sql`analyze prompts, answers, tasks, task_answers, claims, annotations`.execute(
        this.#database,
      );
    return added;
  }

  /**
   * Sets which tasks people get first, where the project's order is `priority`.
   * @param priorities by task; larger ones come first
   * @param source who set them, for example "reward-disagreement" or "judge"
   * @throws RangeError for a priority that is no number, and for tasks of no such project
   */
  setPriorities(
    project: string,
    priorities: ReadonlyMap<string, number>,
    source: string,
    by: string | null = null,
  ): Promise<void> {
    return this.#change(project, async (writing) => {
      await setPriorities(writing, project, priorities, source);
      await this.#note(writing, project, by, 'priorities set', {
        ...{ source, tasks: priorities.size },
      });
    });
  }

  /**
   * Finds the tasks of rows, by prompt and answers.
   * @returns the id of each one's task, in their order; null for those that are not in the project
   */
  findTasks(project: string, inputs: readonly TaskInput[]): Promise<(string | null)[]> {
    return findTasks(this.#database, project, inputs);
  }

  /** The ids of a project's tasks. */
  taskIds(project: string): Promise<ReadonlySet<string>> {
    return taskIds(this.#database, project);
  }

  /**
   * Saves what a judge expects of pairs. A later suggestion of the same judge replaces an earlier
   * one. Views of tasks for who annotates do not have it.
   * @param source the judge's name
   * @param probabilities by task: P(the answer at position 0 is better), with half of a tie
   * @param note for the log of actions: who does it; null if the caller notes it
   * @throws RangeError for a probability out of range, and for tasks that are no pairs of the
   *   project
   */
  saveSuggestions(
    project: string,
    source: string,
    probabilities: ReadonlyMap<string, number>,
    note: { by: string | null } | null = { by: null },
  ): Promise<void> {
    return this.#change(project, async (writing) => {
      await saveSuggestions(writing, project, source, probabilities);
      if (note === null) return;
      await this.#note(writing, project, note.by, 'suggestions added', {
        ...{ source, tasks: probabilities.size },
      });
    });
  }

  /** What judges expect of a task: not for people who have no verdict on it yet. */
  suggestionsOf(task: string): Promise<JudgeSuggestion[]> {
    return suggestionsOf(this.#database, task);
  }

  /**
   * What judges expect of a task, by the order in which a person sees the answers; empty for a
   * person without a verdict on it.
   */
  suggestionsFor(task: string, person: string): Promise<Suggestion[]> {
    return suggestionsFor(this.#database, task, person);
  }

  /**
   * Notes that a person was shown suggestions on a task, so that verdicts after it can be told from
   * independent ones: see {@link StoredVerdict.afterSuggestion}. Call it before you show them.
   */
  noteSuggestionsShown(task: string, person: string, now = new Date()): Promise<void> {
    return this.#write((writing) => noteShown(writing, task, person, now.toISOString()));
  }

  /** Tasks of a project that have a suggestion of a judge. */
  suggestedTasks(project: string, source: string): Promise<ReadonlySet<string>> {
    return suggestedTasks(this.#database, project, source);
  }

  /** What admins did, newest first, and how many actions fit the filter. */
  actions(filter: ActionFilter = {}): Promise<{ total: number; actions: LoggedAction[] }> {
    return listActions(this.#database, filter);
  }

  /** Notes what an admin did that no other method notes. */
  noteAction(action: Omit<LoggedAction, 'at'>): Promise<void> {
    return noteAction(this.#database, action);
  }

  /**
   * Gives a person a slot of a task. No two people get the same slot.
   * @returns the task's id; null if the person has nothing left to do
   */
  claim(project: string, person: string, options: ClaimOptions = {}): Promise<string | null> {
    return this.#change(project, (writing) => this.#claim(writing, project, person, options));
  }

  /**
   * Gives a person a task as {@link claim} does.
   * @returns it as the person is to see it, without the names of models, and how far the person is
   */
  next(project: string, person: string, options: ClaimOptions = {}): Promise<NextTask> {
    return this.#change(project, async (writing) => {
      const id = await this.#claim(writing, project, person, options);
      return {
        task: id === null ? null : await viewTask(writing, project, id, person),
        progress: await progressOf(writing, project, person),
        pace: await paceOf(writing, project, person),
      };
    });
  }

  /** How far a person is. */
  progress(project: string, person: string): Promise<Progress> {
    return progressOf(this.#database, project, person);
  }

  /** How long a person takes for a verdict. */
  pace(project: string, person: string): Promise<Pace> {
    return paceOf(this.#database, project, person);
  }

  /**
   * A task that the person holds or has finished, as the person sees it.
   * @throws RangeError for a task that this person has never had
   */
  taskFor(project: string, task: string, person: string): Promise<TaskView> {
    return viewTask(this.#database, project, task, person);
  }

  /**
   * Adds a verdict as a new version. Its positions are those of the answers as the person sees
   * them, in {@link taskFor}. Once this returns, the verdict is on the disk.
   * @param options.known version of the person's newest verdict that the caller has seen, 0 if
   *   none: a page that is older than another one of the person then changes nothing
   * @returns the version
   * @throws NewerVerdictError if there is another version than the known one
   * @throws RangeError for an unknown task, one that the person has not claimed, and a verdict that
   *   does not fit it or that the project does not ask
   */
  annotate(
    task: string,
    person: string,
    verdict: Verdict,
    options: { known?: number } = {},
  ): Promise<number> {
    return this.#write((writing) =>
      annotateTask(writing, task, person, { ...verdict, ...options }, this.#postgres),
    );
  }

  /**
   * Gives a task back without a verdict: it is free for everybody again, the person too. To skip a
   * task, annotate it with the choice null.
   * @throws RangeError if the person does not hold it
   */
  release(task: string, person: string): Promise<void> {
    return this.#write((writing) => releaseTask(writing, task, person, this.#postgres));
  }

  /**
   * Starts the time for which a person holds a task again.
   * @throws RangeError if the person does not hold it
   */
  renew(task: string, person: string, now = new Date()): Promise<void> {
    return this.#write((writing) => renewClaim(writing, task, person, now, this.#postgres));
  }

  /**
   * Gives a person a finished task again, with the verdict as a draft. That verdict counts until
   * there is a newer one.
   * @throws RangeError for a task that the person has not had
   */
  reopen(task: string, person: string, now = new Date()): Promise<TaskView> {
    return this.#write(async (writing) => {
      const project = await reopenTask(writing, task, person, now, this.#postgres);
      return viewTask(writing, project, task, person);
    });
  }

  /**
   * Reopens the task of the person's newest verdict; calling it again, the one before.
   * @returns null if the person has no finished task
   */
  undo(project: string, person: string, now = new Date()): Promise<TaskView | null> {
    return this.#change(project, async (writing) => {
      const task = await lastTask(writing, project, person);
      if (task === null) return null;
      await reopenTask(writing, task, person, now, this.#postgres);
      return viewTask(writing, project, task, person);
    });
  }

  /** A person's newest verdicts, newest first, with positions as the person sees the answers. */
  history(project: string, person: string, limit = 50): Promise<HistoryLine[]> {
    return historyOf(this.#database, project, person, limit);
  }

  /**
   * Adds a verdict that outranks those of the annotations, as a new version. Its positions are
   * those of the task.
   * @returns the version
   * @throws RangeError for an unknown task, a verdict that does not fit it, and a skip
   */
  adjudicate(task: string, person: string, verdict: Verdict): Promise<number> {
    return this.#write((writing) => adjudicateTask(writing, task, person, verdict, this.#postgres));
  }

  /** Every version of a person's verdict on a task, oldest first, by the task's positions. */
  versions(task: string, person: string): Promise<StoredVerdict[]> {
    return readVersions(this.#database, task, person);
  }

  /** The newest verdicts of a project, by a filter. */
  annotations(project: string, filter: AnnotationFilter = {}): Promise<ListedAnnotation[]> {
    return listAnnotations(this.#database, project, filter, this.#postgres);
  }

  /** One page of a project's tasks, and how many tasks fit the filter. */
  taskList(
    project: string,
    filter: TaskFilter = {},
    paging: Paging = {},
  ): Promise<{ total: number; tasks: ListedTask[] }> {
    return listTasks(this.#database, project, filter, paging, this.#postgres);
  }

  /** Tasks on which people disagree and that nobody has settled, most disputed first. */
  disagreements(
    project: string,
    paging: Omit<Paging, 'sort'> = {},
  ): Promise<{ total: number; tasks: ListedTask[] }> {
    const open = { disputed: true, adjudicated: false };
    return this.taskList(project, open, { ...paging, sort: 'dispute' });
  }

  /** Everything that the store has of a task. @throws RangeError for an unknown one */
  taskDetail(task: string): Promise<TaskDetail> {
    return readTaskDetail(this.#database, task);
  }

  /** What agreement is computed from. */
  votes(project: string, options: VotesOptions = {}): Promise<Votes> {
    return readVotes(this.#database, project, options);
  }

  /** By name: the longest run of pairs for which a person chose the same side. */
  streaks(project: string): Promise<ReadonlyMap<string, SideRun>> {
    return readStreaks(this.#database, project);
  }

  /** All tasks of a project with their verdicts, in the order in which they were added. */
  tasks(project: string): AsyncIterable<StoredTask> {
    return readTasks(this.#database, project);
  }

  /**
   * Starts a battle between two models, whose sides are drawn.
   * @throws RangeError for an unknown project, and for one model twice
   */
  startBattle(
    project: string,
    person: string,
    models: readonly [string, string],
    options: BattleOptions = {},
  ): Promise<BattleView> {
    return this.#change(project, (writing) =>
      startBattle(writing, project, person, models, options),
    );
  }

  /**
   * Adds what a person asked, and what the model on each side answered.
   * @param known how many turns the answers go on from (default: as many as there are)
   * @throws RangeError for somebody else's battle, one with a vote, and one with another number of
   *   turns than `known`
   */
  addTurn(
    battle: string,
    person: string,
    turn: BattleTurn,
    { known }: { known?: number } = {},
  ): Promise<BattleView> {
    const given = known === undefined ? turn : { ...turn, known };
    return this.#write((writing) => addTurn(writing, battle, person, given, this.#postgres));
  }

  /**
   * Votes by the sides, once.
   * @returns the battle with the models' names
   * @throws RangeError for somebody else's battle, one without answers, and a second vote
   */
  voteBattle(battle: string, person: string, given: GivenVote): Promise<BattleView> {
    return this.#write((writing) => voteBattle(writing, battle, person, given, this.#postgres));
  }

  /** A battle as its person sees it. @throws RangeError for somebody else's battle */
  battleFor(battle: string, person: string): Promise<BattleView> {
    return viewBattle(this.#database, battle, person);
  }

  /** Which model is on which side of a battle: not for its person. */
  sidesOf(battle: string): Promise<StoredBattle['models']> {
    return sidesOf(this.#database, battle);
  }

  /**
   * How often two models met, by side and vote. Of battles without a vote, those that began after
   * a time.
   */
  battleCounts(project: string, since: Date): Promise<BattleCount[]> {
    return battleCounts(this.#database, project, since);
  }

  /** Battles of a project, newest first, and how many fit the filter. */
  battles(
    project: string,
    filter: BattleFilter = {},
  ): Promise<{ total: number; battles: StoredBattle[] }> {
    return listBattles(this.#database, project, filter);
  }

  /** All battles with a vote, oldest first, with styles as far as they were counted. */
  votedBattles(project: string): AsyncIterable<StoredBattle & { styles: SideStyles | null }> {
    return votedBattles(this.#database, project);
  }

  /** Keeps styles of battles' answers, so that they are counted once. */
  saveStyles(styles: ReadonlyMap<string, SideStyles>): Promise<void> {
    return this.#write((writing) => saveStyles(writing, styles));
  }

  async #claim(
    writing: Writing,
    project: string,
    person: string,
    options: ClaimOptions,
  ): Promise<string | null> {
    return claimTask(writing, project, await personNamed(writing, person), options);
  }

  async #note(
    writing: Writing,
    project: string,
    person: string | null,
    action: AdminAction,
    details: LoggedAction['details'],
  ): Promise<void> {
    const name = await projectName(writing, project);
    await noteAction(writing, { person, action, project: name, details });
  }

  #write<Result>(work: (writing: Writing) => Promise<Result>): Promise<Result> {
    return this.#database.transaction().execute(work);
  }

  /** A write that no other one of this project overlaps. */
  #change<Result>(project: string, work: (writing: Writing) => Promise<Result>): Promise<Result> {
    return this.#write(async (writing) => {
      await lockProject(writing, project, this.#postgres);
      return work(writing);
    });
  }
}
