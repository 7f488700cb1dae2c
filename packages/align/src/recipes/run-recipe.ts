// `keel align`: runs a recipe's stages one after the other.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@keel/model';
import type { FileHash } from '../data/open-rows.ts';
import { removePartials, writeFileAtomic } from '../files/atomic-write.ts';
import { refuseSystemFolder } from '../runs/output-folder.ts';
import { LOCK_NAME, lockRun } from '../runs/run-lock.ts';
import { recorded } from '../runs/run-record.ts';
import type { RunHooks, RunResult } from '../training/run-training.ts';
import type { JobResult, StageVerdict } from './job-verb.ts';
import { mergeResult } from './merge-result.ts';
import {
  dependsOn,
  isMeasuring,
  type JobStage,
  mergedFolder,
  type Recipe,
  type RecipeStage,
  type TrainingStage,
} from './recipe.ts';
import { writeRecipeReport } from './recipe-report.ts';
import { runJobStage } from './run-job-stage.ts';
import { runStage } from './run-stage.ts';
import { withSharedDate } from './shared-date.ts';
import { StageError } from './stage-error.ts';
import { readStageRecords, type StageRecords } from './stage-records.ts';
import { resultOf, type StageState, stateOfStage } from './stage-state.ts';

type RunEvent = Parameters<NonNullable<RunHooks['onEvent']>>[0];

/** An event while a recipe runs. */
export type RecipeEvent =
  | { type: 'stage'; stage: RecipeStage; state: StageState }
  /** An event of the stage's own run. */
  | { type: 'run'; stage: TrainingStage; event: RunEvent }
  /** The stage's adapter was merged into its base model, for later stages. */
  | { type: 'merge'; stage: TrainingStage; path: string }
  | { type: 'ended'; stage: TrainingStage; result: RunResult; seconds: number }
  /** A notice of a stage that trains nothing. */
  | { type: 'notice'; stage: JobStage; text: string }
  /** Progress of a stage that trains nothing: `done` of `total` answers, verdicts or others. */
  | { type: 'progress'; stage: JobStage; what: string; done: number; total: number }
  | { type: 'worked'; stage: JobStage; result: JobResult; seconds: number }
  /** The stage does not run, because a gate failed before it. */
  | { type: 'skipped'; stage: RecipeStage; why: string };

export interface RecipeHooks {
  onEvent?(event: RecipeEvent): void;
  /** Finishes the current step, saves a checkpoint and stops. */
  signal?: AbortSignal;
  /** Run every stage from the start. */
  overwrite?: boolean;
  /** The verb, and the words after `keel` that resume it, for the folder's run.json. */
  command?: { verb: string; words: string[] };
  /** Opens `eval_suites` of stages that train. */
  openSuites?: RunHooks['openSuites'];
}

export interface RecipeResult {
  /** The recipe's folder. */
  path: string;
  report: string;
  /** Stages that ran in this call. */
  ran: string[];
  /** The verdicts of stages with a gate, in order. */
  verdicts: { stage: string; verdict: StageVerdict }[];
  /** Stages that did not run, because a gate failed before them. */
  skipped: string[];
  /** Where a signal stopped it; null if all stages are done. */
  interrupted: { stage: string; step: number } | null;
}

/**
 * Runs the stages that are not done yet. stages.json records when each starts and ends, so that the
 * next call resumes.
 * @throws StageError if a stage fails
 * @throws Error if the folder contains something else, or another process is running the recipe in
 *   it
 */
export async function runRecipe(recipe: Recipe, hooks: RecipeHooks = {}): Promise<RecipeResult> {
  const { output } = recipe;
  refuseSystemFolder(output);
  refuseOtherFolder(output);
  makeFolder(output);
  const unlock = lockRun(output);
  try {
    await removePartials(output);
    return await recorded(output, hooks.command, () =>
      runStages(withSharedDate(recipe, hooks.overwrite ?? false), hooks),
    );
  } finally {
    unlock();
  }
}

async function runStages(
  recipe: Recipe & { templateDate: string },
  hooks: RecipeHooks,
): Promise<RecipeResult> {
  const { output, stages, text } = recipe;
  const { onEvent = () => {}, signal, overwrite = false, openSuites } = hooks;
  const records: StageRecords = overwrite ? {} : readStageRecords(output);
  writeFileAtomic(join(output, 'recipe.yaml'), text);
  const results = new Map<string, readonly FileHash[] | null>();
  const report = join(output, 'report.html');
  const ran: string[] = [];
  const verdicts: RecipeResult['verdicts'] = [];
  const skipped: string[] = [];
  const ended = (interrupted: RecipeResult['interrupted']): RecipeResult => ({
    ...{ path: output, report, ran, verdicts, skipped, interrupted },
  });
  for (const stage of stages) {
    const { name } = stage;
    try {
      const why = whySkipped(stage, stages, verdicts, skipped);
      if (why !== null) {
        onEvent({ type: 'skipped', stage, why });
        skipped.push(name);
        continue;
      }
      const state = await stateOfStage(stage, { output, records, results, overwrite });
      if (signal?.aborted && state.status !== 'done') {
        return ended({ stage: name, step: state.step });
      }
      onEvent({ type: 'stage', stage, state });
      // Also for a stage that is done: its adapter cannot be used without its base.
      await mergeBases(recipe, stage, records, onEvent);
      if (state.status !== 'done') {
        const step = await worked(recipe, stage, { state, records, signal, onEvent, openSuites });
        ran.push(name);
        if (step !== null) return ended({ stage: name, step });
      }
      const verdict = records[name]!.result?.verdict;
      if (verdict !== undefined) verdicts.push({ stage: name, verdict });
      results.set(name, resultOf(stage, records[name]!));
      // After each stage, so that a recipe that takes days has a report before it ends.
      await writeRecipeReport(recipe, records, report);
    } catch (error) {
      throw new StageError(stage, stages.length, error);
    }
  }
  return ended(null);
}

/**
 * Runs a stage, and reports it.
 * @returns the step at which a signal stopped it; null if it is done
 */
async function worked(
  recipe: Recipe & { templateDate: string },
  stage: RecipeStage,
  {
    onEvent,
    signal,
    openSuites,
    ...states
  }: {
    state: StageState;
    records: StageRecords;
    signal: AbortSignal | undefined;
    onEvent(event: RecipeEvent): void;
    openSuites: RunHooks['openSuites'];
  },
): Promise<number | null> {
  if (stage.kind === 'training') {
    const { result, seconds } = await runStage(recipe, stage, {
      ...{ ...states, signal },
      ...(openSuites && { openSuites }),
      onEvent: (event) => onEvent({ type: 'run', stage, event }),
    });
    onEvent({ type: 'ended', stage, result, seconds });
    return result.interrupted ? result.step : null;
  }
  const { result, seconds } = await runJobStage(recipe, stage, {
    ...states,
    ...(signal && { signal }),
    onNotice: (text) => onEvent({ type: 'notice', stage, text }),
    onProgress: (what, done, total) => onEvent({ type: 'progress', stage, what, done, total }),
  });
  onEvent({ type: 'worked', stage, result, seconds });
  return result.interrupted ? 0 : null;
}

/**
 * After a failed gate nothing is trained. Measurements still run, so that the verdict is complete,
 * and jobs that write rows for them; unless they need a stage that did not run.
 */
function whySkipped(
  stage: RecipeStage,
  stages: readonly RecipeStage[],
  verdicts: RecipeResult['verdicts'],
  skipped: readonly string[],
): string | null {
  const missing = dependsOn(stage).filter((name) => skipped.includes(name));
  if (missing.length > 0) return `it needs ${missing.join(' and ')}, which did not run`;
  const failed = verdicts.find(({ verdict }) => !verdict.passed);
  if (failed === undefined || servesMeasuring(stage, stages)) return null;
  return `the gate of ${failed.stage} failed`;
}

/** Whether a stage measures, or a stage that measures needs its rows. */
function servesMeasuring(stage: RecipeStage, stages: readonly RecipeStage[]): boolean {
  if (stage.kind === 'training') return false;
  const users = stages.filter((one) => dependsOn(one).includes(stage.name));
  return isMeasuring(stage) || users.some((one) => servesMeasuring(one, stages));
}

/** Writes the merged models that a stage loads, if they do not exist yet. */
async function mergeBases(
  { output, stages }: Recipe,
  stage: RecipeStage,
  records: StageRecords,
  onEvent: (event: RecipeEvent) => void,
): Promise<void> {
  for (const [option, names] of stage.from) {
    for (const name of names) {
      const path = mergedFolder(output, name);
      // The option's value says whether it takes the adapter or the merged model.
      const values = [stage.options[option]].flat().map(String);
      if (!values.some((value) => value.replace(/^model:/, '') === path)) continue;
      const base = stages.find((one) => one.name === name) as TrainingStage;
      const { identity, result } = records[name]!;
      const from = {
        base: base.options.model,
        baseSha256: hashesOf(identity.inputs.model),
        adapterSha256: result!.sha256,
      };
      await mergeResult(output, name, from, () => onEvent({ type: 'merge', stage: base, path }));
    }
  }
}

const hashesOf = (files: readonly FileHash[] = []): string =>
  files.map(({ sha256 }) => sha256).join(' ');

const ownFile = /^(stages\.json|run\.json|studio\.log|\.stop-asked|recipe\.yaml|report\.html)$/;

/**
 * Refuses a folder that contains other files.
 * @param what is to be written: "a recipe"
 */
export function refuseOtherFolder(output: string, what = 'a recipe'): void {
  if (!existsSync(output) || existsSync(join(output, 'stages.json'))) return;
  const other = readdirSync(output).find(
    (name) => !name.startsWith(LOCK_NAME) && !ownFile.test(name) && !/^\..*\.partial-/.test(name),
  );
  if (other === undefined) return;
  throw new Error(
    `${output}: is not empty and is not ${what}'s folder (it contains ${other}). Choose another output folder`,
  );
}
