// All runs below a folder, also while they train: what a page or a program asks about them.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { type AnswerLine, listCheckpoints } from '@keel/align/runs';
import { OUTPUT, Resumes, resumeCommand } from './acting/resume-run.ts';
import { isStopping, stopRun } from './acting/stop-run.ts';
import { CompletionFiles } from './answers/completion-files.ts';
import { type AnswersOfPrompt, answersByPrompt, parseAnswers } from './answers/greedy-answers.ts';
import { rewardWeights } from './answers/reward-weights.ts';
import { SampleLines } from './answers/sample-lines.ts';
import type { Sample } from './answers/sample-source.ts';
import {
  type Extremes,
  type SamplePage,
  type SampleQuery,
  SamplesIndex,
} from './answers/samples-index.ts';
import {
  type AlignedMetric,
  alignBySteps,
  metricNames,
  type OptionDifference,
  optionDifferences,
} from './describing/compare-runs.ts';
import { optionOf, type RunConfig, trlConfig } from './describing/config.ts';
import { type Lineage, lineageOf, usersOf } from './describing/lineage.ts';
import { type Notices, noticesOf } from './describing/notices.ts';
import {
  type GateVerdict,
  gatesOf,
  headlinesOf,
  type RunResults,
  resultsOf,
  type ShownHeadline,
} from './describing/results.ts';
import { type CostPoint, rewardCosts } from './describing/reward-costs.ts';
import { chartsOf, type RunChart, rewardAgainst } from './describing/run-charts.ts';
import { RunFiles } from './describing/run-files.ts';
import { type RunSummary, Summaries, tellingNumber } from './describing/summary.ts';
import { TailRows } from './describing/tail-rows.ts';
import { type FoundRun, RunFinder } from './folders/find-runs.ts';
import { noRun, RunRoot } from './folders/run-root.ts';
import { checkpointSteps } from './folders/trainer-folder.ts';
import { WatchError } from './folders/watch-error.ts';
import { bytesAt } from './numbers/appended-lines.ts';
import { downsample, type Part, type Points } from './numbers/downsample.ts';
import { type AppendedRows, appendedRows } from './numbers/metrics-rows.ts';
import {
  EventNumbers,
  JsonNumbers,
  type RunNumbers,
  sourceSignature,
  TrainerNumbers,
} from './numbers/run-numbers.ts';

/** How runs are resumed. */
export interface WatcherOptions {
  /** The words that run Keel's command line (default: none, and runs cannot be resumed). */
  keel?: readonly string[];
}

/** All that a run's page shows, but for its numbers and samples. */
export interface RunDetails extends RunSummary {
  /** In the file system. */
  path: string;
  config: RunConfig | null;
  /** Facts about the program and the machine; null if nothing recorded them. */
  environment: Record<string, unknown> | null;
  headlines: ShownHeadline[];
  notices: Notices;
  /** `best`: the one that its trainer holds for the best. */
  checkpoints: { step: number; best: boolean }[];
  lineage: Lineage;
  /** Watched runs that were made from this one. */
  usedBy: string[];
  /** Watched runs in its folder. */
  stages: string[];
  /** What its command found; null for trainings, and before its end. */
  results: RunResults | null;
  gates: GateVerdict[];
  metrics: string[];
  charts: RunChart[];
  /** Whether it has both a reward and a KL, which {@link RunWatcher.rewardCosts} compares. */
  hasRewardCosts: boolean;
  samples: number;
  hasReport: boolean;
  /** Damage of its files, a sentence each. */
  faults: string[];
  /** Whether it was asked to stop and has not ended yet. */
  stopping: boolean;
  /** Whether it can be resumed, and if not, why. */
  resume: { command: string; why: null } | { command: null; why: string };
  /** Whether a process that this program started to resume it runs, or how it ended. */
  resumed: { running: boolean; exitCode: number | null } | null;
}

/** A metric of a run, for a chart. */
export interface Series extends Points {
  name: string;
  /** Values before any were left out. */
  count: number;
}

/** Runs side by side. */
export interface RunComparison {
  runs: RunSummary[];
  options: OptionDifference[];
  /** Whether `template_date` differs and is not listed, since no template prints the date. */
  datesLeftOut: boolean;
  metrics: { name: string; runs: number }[];
  charts: RunChart[];
  results: (RunResults | null)[];
  gates: GateVerdict[][];
  headlines: ShownHeadline[][];
}

interface AllRuns {
  byId: ReadonlyMap<string, FoundRun>;
  /** Ids of folders of events that are part of a run, and the run's. */
  parts: ReadonlyMap<string, string>;
}

/** Runs whose numbers and samples are held in memory. */
const MOST_HELD = 100;

/** Watches the runs below a folder. Reads files only when it is asked. */
export class RunWatcher {
  readonly #root: RunRoot;
  readonly #finder: RunFinder;
  readonly #files: RunFiles;
  readonly #tails = new TailRows();
  readonly #summaries: Summaries;
  readonly #resumes: Resumes;
  readonly #numbers = new Map<string, RunNumbers>();
  readonly #samples = new Map<string, SamplesIndex>();
  /** What is listed of runs of other trainers, by their paths. */
  readonly #ofTrainers = new Map<string, { key: string; own: Partial<RunSummary> }>();
  /** Folders with the events of runs, by their paths. */
  readonly #events = new Map<string, readonly string[]>();

  /** @throws WatchError if `root` is not a folder */
  constructor(root: string, { keel }: WatcherOptions = {}) {
    this.#root = new RunRoot(root);
    this.#finder = new RunFinder(this.#root);
    this.#files = new RunFiles(this.#root);
    this.#summaries = new Summaries(this.#files, this.#tails);
    this.#resumes = new Resumes(keel ?? null);
  }

  /** The watched folder, without symbolic links. */
  get root(): string {
    return this.#root.path;
  }

  /**
   * @returns `complete` is false if there are more folders than a watcher reads; `unreadable` are
   *   folders without permission, in which there may be runs
   */
  list(): { runs: RunSummary[]; complete: boolean; unreadable: string[] } {
    const { runs, complete, unreadable } = this.#finder.find();
    const byId = new Map(runs.map((run) => [run.id, run]));
    const paths = new Set(runs.map(({ path }) => path));
    this.#summaries.keep(paths);
    for (const path of this.#ofTrainers.keys()) if (!paths.has(path)) this.#ofTrainers.delete(path);
    return { runs: runs.map((run) => this.#summary(run, byId)), complete, unreadable };
  }

  /** @throws WatchError if there is no such run */
  async run(id: string): Promise<RunDetails> {
    const { run, runs } = this.#find(id);
    const summary = this.#summary(run, runs);
    const numbers = this.#numbersOf(run);
    const config = this.#files.config(run) ?? trlConfig(numbers.texts);
    const files = this.#files;
    const samples = await this.#samplesOf(run);
    const { names } = numbers.columns;
    const checkpoints = await this.#checkpoints(run);
    const { results, fault } = resultsOf(run, files);
    return {
      ...summary,
      path: run.path,
      config,
      environment: files.environment(run) as Record<string, unknown> | null,
      headlines: headlinesOf(run, files),
      notices: noticesOf(run, { files, config, columns: numbers.columns }),
      checkpoints,
      lineage: lineageOf(run, runs, files),
      usedBy: usersOf(run, runs, files),
      stages: [...runs.keys()].filter(
        (one) => one.startsWith(`${id}/`) || (id === '.' && one !== id),
      ),
      results,
      gates: gatesOf(run, files, results),
      metrics: names,
      charts: chartsOf(names),
      hasRewardCosts: rewardAgainst(names) !== null,
      samples: samples?.count ?? 0,
      hasReport: files.has(run.path, 'report.html'),
      faults: [
        ...files.damaged(run),
        ...numbers.faults,
        ...(samples?.faults ?? []),
        ...(fault === null ? [] : [fault]),
      ],
      stopping: isStopping(run, files),
      resume: this.#resumeOf(run, summary),
      resumed: this.#resumes.stateOf(run),
    };
  }

  /**
   * Rows that were added to a run's metrics.jsonl, for programs that follow it.
   * @param cursor of the last call; null: all rows
   * @throws WatchError if there is no such run
   */
  rows(id: string, cursor: string | null): AppendedRows {
    const { run } = this.#find(id);
    const path = this.#root.within(run.path, 'metrics.jsonl');
    if (path !== null) return appendedRows(path, cursor);
    return {
      ...{ rows: [], faults: [], cursor: '0:0:0', more: false, failed: null },
      restarted: cursor !== null,
    };
  }

  /**
   * Metrics of a run for charts.
   * @param names of metrics (default: all)
   * @throws WatchError if there is no such run
   */
  series(id: string, { names, ...part }: Part & { names?: readonly string[] } = {}): Series[] {
    const { columns } = this.#numbersOf(this.#find(id).run);
    return (names ?? columns.names).flatMap((name) => {
      const column = columns.get(name);
      if (column === undefined || column.steps.length === 0) return [];
      const points = downsample(column.steps, column.values, part);
      return [{ name, count: column.steps.length, ...points }];
    });
  }

  /**
   * The reward against the KL that it cost, for a curve.
   * @throws WatchError if there is no such run
   */
  rewardCosts(id: string): CostPoint[] {
    const { columns } = this.#numbersOf(this.#find(id).run);
    const names = rewardAgainst(columns.names);
    return names === null ? [] : rewardCosts(columns.get(names.reward)!, columns.get(names.kl)!);
  }

  /** @throws WatchError if there is no such run, or for a query that cannot be answered */
  async samples(id: string, query: SampleQuery): Promise<SamplePage> {
    const samples = await this.#samplesOf(this.#find(id).run);
    return samples?.page(query) ?? { total: 0, matching: 0, samples: [] };
  }

  /**
   * A sample, and the first one of the same prompt, for comparing the two.
   * @throws WatchError if there is no such run or line
   */
  async sample(id: string, line: number): Promise<{ sample: Sample; start: Sample | null }> {
    const samples = await this.#samplesOf(this.#find(id).run);
    if (samples === null) throw new WatchError('unknown', `${id}: this run samples no answers`);
    return samples.withStart(line);
  }

  /**
   * The samples of a step, or of all steps, with the highest and the lowest rewards.
   * @throws WatchError if there is no such run
   */
  async extremes(
    id: string,
    each: number,
    at: number | 'last' | 'all' = 'last',
  ): Promise<Extremes | null> {
    return (await this.#samplesOf(this.#find(id).run))?.extremes(each, at) ?? null;
  }

  /**
   * Greedy answers before, during and after training.
   * @throws WatchError if there is no such run
   */
  answers(id: string): { steps: number[]; prompts: AnswersOfPrompt[] } {
    return answersByPrompt(this.#answers(this.#find(id).run));
  }

  /** @throws WatchError if one of the runs does not exist */
  compare(ids: readonly string[]): RunComparison {
    const all = this.#all();
    const runs = ids.map((id) => this.#in(all, id));
    const numbers = runs.map((run) => this.#numbersOf(run));
    const configs = runs.map((run, at) => this.#files.config(run) ?? trlConfig(numbers[at]!.texts));
    const results = runs.map((run) => resultsOf(run, this.#files).results);
    const metrics = metricNames(numbers.map(({ columns }) => columns));
    // Its default is the time of the start, so it differs also where no template prints it.
    const printed = runs.some((run) => this.#files.environment(run)?.templatePrintsDate === true);
    const differences = optionDifferences(configs);
    const options = differences.filter(({ key }) => printed || key !== 'template_date');
    return {
      runs: runs.map((run) => this.#summary(run, all.byId)),
      options,
      datesLeftOut: differences.some(
        (one) => !printed && one.key === 'template_date' && !one.missing,
      ),
      metrics,
      charts: chartsOf(metrics.map(({ name }) => name)),
      results,
      gates: runs.map((run, at) => gatesOf(run, this.#files, results[at]!)),
      headlines: runs.map((run) => headlinesOf(run, this.#files)),
    };
  }

  /**
   * A metric of several runs, in one list of steps.
   * @throws WatchError if one of the runs does not exist
   */
  aligned(ids: readonly string[], name: string, part: Part = {}): AlignedMetric {
    const all = this.#all();
    const columns = ids.map((id) => this.#numbersOf(this.#in(all, id)).columns.get(name));
    return alignBySteps(
      name,
      columns.map((column) => column && downsample(column.steps, column.values, part)),
    );
  }

  /**
   * The path of a run's report.
   * @throws WatchError if there is no such run, or it has none
   */
  report(id: string): string {
    const { run } = this.#find(id);
    const path = this.#root.within(run.path, 'report.html');
    if (path === null) {
      throw new WatchError('unknown', `${id}: there is no report yet. It is written at the end`);
    }
    return path;
  }

  /** The end of what resumed processes printed. @throws WatchError if there is no such run */
  output(id: string, most = 64 * 1024): string {
    const { run } = this.#find(id);
    const path = this.#root.within(run.path, OUTPUT);
    if (path === null) return '';
    const descriptor = openSync(path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const start = Math.max(0, size - most);
      return bytesAt(descriptor, start, size - start).toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Asks the process of a run to finish its step, save a checkpoint and end, as Ctrl-C does.
   * @throws WatchError saying why it cannot be stopped
   */
  stop(id: string): { pid: number } {
    return stopRun(this.#find(id).run, this.#files);
  }

  /**
   * Starts the command that resumes a run; what it prints is in the run's studio.log.
   * @throws WatchError saying why it cannot be resumed
   */
  resume(id: string): { pid: number; command: string } {
    const { run, runs } = this.#find(id);
    const command = resumeCommand(run, this.#summary(run, runs), this.#files);
    return { ...this.#resumes.start(run, command), command: shownCommand(command.words) };
  }

  /** Of another trainer's run, what its numbers say. */
  #summary(run: FoundRun, runs: ReadonlyMap<string, FoundRun>): RunSummary {
    const summary = this.#summaries.of(run, runs);
    if (run.kind !== 'tensorboard' && run.kind !== 'trainer') return summary;
    // Numbers of many runs are not held, so that an unchanged one is not read for each look.
    const key = [sourceSignature(this.#root, run), this.#files.signature(run, 'README.md')].join(
      ' ',
    );
    const known = this.#ofTrainers.get(run.path);
    const own = known?.key === key ? known.own : this.#ownOf(run);
    this.#ofTrainers.set(run.path, { key, own });
    return { ...summary, ...own };
  }

  /** What the numbers of another trainer's run say of it. */
  #ownOf(run: FoundRun): Partial<RunSummary> {
    const numbers = this.#numbersOf(run);
    const { columns, lastTime, firstTime, texts } = numbers;
    const config = trlConfig(texts);
    const ofTrainer = numbers instanceof TrainerNumbers ? numbers : null;
    const card = ofTrainer === null ? null : this.#files.trainerCard(run);
    const model = optionOf(config, 'model_name_or_path') ?? optionOf(config, '_name_or_path');
    const planned = optionOf(config, 'max_steps');
    return {
      verb: card?.method ?? null,
      state: ofTrainer?.finished ? 'finished' : 'recorded',
      model: typeof model === 'string' && model !== '' ? model : (card?.model ?? null),
      step: columns.lastStep,
      total:
        ofTrainer?.state?.total ?? (typeof planned === 'number' && planned > 0 ? planned : null),
      started: firstTime === null ? null : isoTime(firstTime),
      updated: lastTime === null ? null : isoTime(lastTime),
      number: tellingNumber((name) => columns.get(name)?.values.at(-1)),
    };
  }

  #resumeOf(run: FoundRun, summary: RunSummary): RunDetails['resume'] {
    try {
      const { words } = resumeCommand(run, summary, this.#files);
      return { command: shownCommand(words), why: null };
    } catch (error) {
      if (!(error instanceof WatchError)) throw error;
      return { command: null, why: error.message };
    }
  }

  #all(): AllRuns {
    const { runs, parts } = this.#finder.find();
    return { byId: new Map(runs.map((run) => [run.id, run])), parts };
  }

  #find(id: string): { run: FoundRun; runs: ReadonlyMap<string, FoundRun> } {
    const all = this.#all();
    return { run: this.#in(all, id), runs: all.byId };
  }

  #in({ byId, parts }: AllRuns, id: string): FoundRun {
    // Also refuses what is no id at all.
    this.#root.folder(id);
    const run = byId.get(parts.get(id) ?? id);
    if (run === undefined) throw noRun(id);
    return run;
  }

  #numbersOf(run: FoundRun): RunNumbers {
    const numbers = held(this.#numbers, `${run.kind} ${run.path}`, () => {
      const events = (): readonly string[] => this.#events.get(run.path) ?? [];
      if (run.kind === 'tensorboard') return new EventNumbers(this.#root, events);
      if (run.kind === 'trainer') return new TrainerNumbers(this.#root, run.path, events);
      return new JsonNumbers(() => this.#root.within(run.path, 'metrics.jsonl'));
    });
    this.#events.set(run.path, run.events);
    numbers.update();
    return numbers;
  }

  async #samplesOf(run: FoundRun): Promise<SamplesIndex | null> {
    const isTrainer = run.kind === 'trainer';
    const path = this.#root.within(run.path, isTrainer ? 'completions' : 'samples.jsonl');
    if (path === null) return null;
    this.#events.set(run.path, run.events);
    const samples = held(
      this.#samples,
      path,
      () => new SamplesIndex(isTrainer ? this.#completionsOf(run, path) : new SampleLines(path)),
    );
    await samples.update();
    return samples;
  }

  #completionsOf(run: FoundRun, path: string): CompletionFiles {
    return new CompletionFiles(this.#root, path, () => {
      // Its folders of events may have become more since then.
      const events = [...(this.#events.get(run.path) ?? run.events)];
      const { columns, texts } = this.#numbersOf({ ...run, events });
      const config = trlConfig(texts);
      return {
        weightsOf: (functions) => rewardWeights(functions, columns, config),
        isReward: (column) => columns.get(`rewards/${column}/mean`) !== undefined,
      };
    });
  }

  #answers(run: FoundRun): AnswerLine[] {
    const text = this.#files.text(run.path, 'answers.jsonl');
    return text === null ? [] : parseAnswers(text);
  }

  async #checkpoints(run: FoundRun): Promise<RunDetails['checkpoints']> {
    const path = this.#root.within(run.path, 'checkpoints');
    if (path !== null) {
      return (await listCheckpoints(path)).map(({ step }) => ({ step, best: false }));
    }
    if (run.kind !== 'trainer') return [];
    const numbers = this.#numbersOf(run);
    const best = numbers instanceof TrainerNumbers ? numbers.state?.best : null;
    return checkpointSteps(run.path).map((step) => ({ step, best: step === best }));
  }
}

const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

const shownCommand = (words: readonly string[]): string =>
  [
    'npx keel',
    ...words.map((word) => (/^[\w./:@%+=,-]+$/.test(word) ? word : JSON.stringify(word))),
  ].join(' ');

/** The value of a key, the least recently used ones removed. */
function held<T>(values: Map<string, T>, key: string, make: () => T): T {
  const value = values.get(key) ?? make();
  values.delete(key);
  values.set(key, value);
  if (values.size > MOST_HELD) values.delete(values.keys().next().value!);
  return value;
}
