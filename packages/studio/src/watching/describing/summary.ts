// A run in a list: what it is, how far it is, and its most telling numbers.
import type { LockHolder, MetricsRow, RunRecord } from '@keel/align/runs';
import { CLOCK, type FoundRun } from '../folders/find-runs.ts';
import type { RunKind } from '../folders/kinds.ts';
import { optionOf } from './config.ts';
import type { RunFiles } from './run-files.ts';
import type { TailRows } from './tail-rows.ts';
import { VerdictCounts } from './verdict-counts.ts';

/**
 * `running`: a process of this machine writes to it. `elsewhere`: a process of another machine
 * does, or did until it was killed. `recorded`: files of another trainer, which do
 * not say.
 */
export type RunState = 'running' | 'elsewhere' | 'finished' | 'interrupted' | 'failed' | 'recorded';

/** A run in a list. */
export interface RunSummary {
  id: string;
  kind: RunKind;
  /** `dpo`, `align`, `evaluate`; null if nothing says. */
  verb: string | null;
  state: RunState;
  /** Of a failed run: its error. */
  message: string | null;
  model: string | null;
  /**
   * Optimizer steps that are recorded; null if it has none. Of a recipe, finished stages; of a
   * judge, verdicts.
   */
  step: number | null;
  /** Planned steps, stages or verdicts; null if nothing says. */
  total: number | null;
  /** Estimated seconds to the end of a run that runs; null: unknown. */
  secondsLeft: number | null;
  /** When it first started, in ISO 8601; null if nothing says. */
  started: string | null;
  /** When it was last written to, in ISO 8601. */
  updated: string | null;
  git: { commit: string; dirty: boolean } | null;
  /** The latest value of a number that says how it does; null: none. */
  number: { name: string; value: number | null } | null;
  /** Findings of its health checks. */
  warnings: number;
  serious: number;
  /** The run whose stage it is; null: none. */
  parent: string | null;
}

/** Describes runs from their small files and the end of their metrics. */
export class Summaries {
  readonly #files: RunFiles;
  readonly #tails: TailRows;
  readonly #verdicts: VerdictCounts;
  readonly #known = new Map<string, { key: string; summary: Omit<RunSummary, 'parent'> }>();

  constructor(files: RunFiles, tails: TailRows) {
    this.#files = files;
    this.#tails = tails;
    this.#verdicts = new VerdictCounts(files);
  }

  /** @param runs all runs of the root, to find the recipe of a stage */
  of(run: FoundRun, runs: ReadonlyMap<string, FoundRun>): RunSummary {
    // Other files are written aside and renamed, which changes the folder.
    const appended = ['metrics.jsonl', 'samples.jsonl'].map((name) =>
      this.#files.signature(run, name),
    );
    const key = [run.changed, ...appended].join(' ');
    const known = this.#known.get(run.path);
    const parent = parentOf(run, runs);
    if (known?.key === key) return { ...known.summary, parent };
    const summary = this.#describe(run);
    this.#known.delete(run.path);
    if (isSettled(run, summary)) this.#known.set(run.path, { key, summary });
    return { ...summary, parent };
  }

  /** Forgets runs that are gone. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
    this.#tails.keep(paths);
    this.#verdicts.keep(paths);
  }

  #describe(run: FoundRun): Omit<RunSummary, 'parent'> {
    const files = this.#files;
    const [config, record, environment] = [
      files.config(run),
      files.record(run),
      files.environment(run),
    ];
    const holder = files.holder(run);
    const state = stateOf(run, { record, holder, files });
    const metrics = files.root.within(run.path, 'metrics.jsonl');
    const rows = this.#tails.read(metrics);
    const stages = files.stages(run);
    const reached = rows.reduce((last, { step }) => Math.max(last, step), 0);
    const done = stages && Object.values(stages).filter(({ result }) => result !== null).length;
    const total = record?.total_steps ?? numberOf(optionOf(config, 'max_steps'));
    const verdicts = this.#verdicts.of(run, state === 'finished');
    const health = files.health(run);
    const count = (severity: string): number =>
      health?.findings.filter((one) => one.severity === severity).length ?? 0;
    return {
      ...{ id: run.id, kind: run.kind, state },
      verb: record?.verb ?? config?.verb ?? verbs[run.kind] ?? null,
      message: state === 'failed' ? (record?.ended?.message ?? nonFinite) : null,
      model: textOf(optionOf(config, 'model')),
      step: verdicts?.done ?? done ?? (rows.length > 0 || config !== null ? reached : null),
      total: verdicts?.total ?? (stages === null ? total : files.stageCount(run)),
      secondsLeft: state === 'running' ? secondsLeft(rows, reached, total) : null,
      started: environment?.time ?? record?.started ?? null,
      updated: files.updated(run, [
        'metrics.jsonl',
        'run.json',
        'samples.jsonl',
        'stages.json',
        'judging.json',
        'verdicts.jsonl.partial',
        'ratings.jsonl.partial',
        'report.html',
      ]),
      git: environment?.git ?? null,
      number: tellingNumber((name) => rows.findLast((row) => row[name] !== undefined)?.[name]),
      ...{ warnings: count('warning'), serious: count('serious') },
    };
  }
}

/**
 * Whether the description holds until a file changes: no process that could end holds the run, and
 * nothing changed so recently that it could change again at the same time.
 */
function isSettled(run: FoundRun, { state, updated }: Omit<RunSummary, 'parent'>): boolean {
  if (state === 'running' || state === 'elsewhere' || Number.isNaN(run.changed)) return false;
  return updated === null || Date.now() - Date.parse(updated) > CLOCK;
}

const nonFinite = 'The loss or the gradient was not finite; see non-finite-rows.jsonl';

const verbs: Partial<Record<RunKind, string>> = {
  ...{ recipe: 'align', comparison: 'compare', lab: 'overoptimise', evaluation: 'evaluate' },
  ...{ judging: 'judge', audit: 'audit', attacks: 'audit', rating: 'rate' },
};

/** Files that exist once the work is done. */
const results: Partial<Record<RunKind, string>> = {
  ...{ training: 'final', comparison: 'results.json', lab: 'results.json' },
  ...{ evaluation: 'summary.json', judging: 'summary.json', audit: 'audit.json' },
  ...{ attacks: 'attacks.json', rating: 'ratings.json' },
};

/** The state of a run, from who holds it, what it recorded and what it left. */
export function stateOf(
  run: FoundRun,
  parts: { record: RunRecord | null; holder: LockHolder | null; files: RunFiles },
): RunState {
  const { record, holder, files } = parts;
  if (run.kind === 'tensorboard' || run.kind === 'trainer') return 'recorded';
  if (holder?.state === 'runs') return 'running';
  if (holder?.state === 'unknown') return 'elsewhere';
  // A lock that is left is that of a process that was killed after the call started.
  if (holder === null && record?.ended) return record.ended.how;
  if (record !== null && record.ended === null) return 'interrupted';
  const stages = files.stages(run);
  if (stages !== null) {
    const all = Object.values(stages);
    const finished = all.length > 0 && all.every(({ result }) => result !== null);
    if (run.kind === 'recipe') return finished ? 'finished' : 'interrupted';
  }
  const result = results[run.kind];
  if (result !== undefined && files.has(run.path, result)) return 'finished';
  return files.has(run.path, 'non-finite-rows.jsonl') ? 'failed' : 'interrupted';
}

/** The recipe, comparison or lab whose folder a run is in. */
function parentOf({ id }: FoundRun, runs: ReadonlyMap<string, FoundRun>): string | null {
  for (let above = id; above.includes('/'); ) {
    above = above.slice(0, above.lastIndexOf('/'));
    if (holdsStages(runs.get(above))) return above;
  }
  return id !== '.' && holdsStages(runs.get('.')) ? '.' : null;
}

const holdsStages = (run: FoundRun | undefined): boolean =>
  run?.kind === 'recipe' || run?.kind === 'comparison' || run?.kind === 'lab';

/** Steps whose mean is the time of a step. */
const TIMED = 20;

/** From the times of the last steps, which do not include evaluations. */
function secondsLeft(
  rows: readonly MetricsRow[],
  step: number,
  total: number | null,
): number | null {
  const times = rows.flatMap((row) => {
    const phases = Object.entries(row).filter(([name]) => name.startsWith('time/'));
    return phases.length === 0 ? [] : [phases.reduce((sum, [, value]) => sum + value, 0)];
  });
  const last = times.slice(-TIMED);
  if (total === null || last.length === 0) return null;
  const mean = last.reduce((sum, value) => sum + value, 0) / last.length;
  return Number.isFinite(mean) ? Math.max(0, total - step) * mean : null;
}

/** The first that a run has. */
const telling = [
  ...['reward', 'eval_rewards/accuracies', 'rewards/accuracies', 'eval_accuracy', 'accuracy'],
  ...['eval_loss', 'loss'],
];

/**
 * The latest value of the most telling number; null: not finite.
 * @param latest value of a metric; undefined: it has none
 */
export function tellingNumber(latest: (name: string) => number | undefined): RunSummary['number'] {
  for (const name of telling) {
    const value = latest(name);
    if (value !== undefined) return { name, value: Number.isFinite(value) ? value : null };
  }
  return null;
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
