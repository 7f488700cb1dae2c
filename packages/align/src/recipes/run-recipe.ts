// `keel align`: runs a recipe's stages one after the other.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@keel/model';
import type { FileHash } from '../data/open-rows.ts';
import { removePartials, writeFileAtomic } from '../files/atomic-write.ts';
import { refuseSystemFolder } from '../runs/output-folder.ts';
import { LOCK_NAME, lockRun } from '../runs/run-lock.ts';
import type { RunHooks, RunResult } from '../training/run-training.ts';
import { mergeResult } from './merge-result.ts';
import { mergedFolder, type Recipe, type RecipeStage } from './recipe.ts';
import { writeRecipeReport } from './recipe-report.ts';
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
  | { type: 'run'; stage: RecipeStage; event: RunEvent }
  /** The stage's adapter was merged into its base model, for later stages. */
  | { type: 'merge'; stage: RecipeStage; path: string }
  | { type: 'ended'; stage: RecipeStage; result: RunResult; seconds: number };

export interface RecipeHooks {
  onEvent?(event: RecipeEvent): void;
  /** Finishes the current step, saves a checkpoint and stops. */
  signal?: AbortSignal;
  /** Run every stage from the start. */
  overwrite?: boolean;
}

export interface RecipeResult {
  /** The recipe's folder. */
  path: string;
  report: string;
  /** Stages that ran in this call. */
  ran: string[];
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
    return await runStages(withSharedDate(recipe, hooks.overwrite ?? false), hooks);
  } finally {
    unlock();
  }
}

async function runStages(
  recipe: Recipe & { templateDate: string },
  hooks: RecipeHooks,
): Promise<RecipeResult> {
  const { output, stages, text } = recipe;
  const { onEvent = () => {}, signal, overwrite = false } = hooks;
  const records: StageRecords = overwrite ? {} : readStageRecords(output);
  writeFileAtomic(join(output, 'recipe.yaml'), text);
  const results = new Map<string, readonly FileHash[] | null>();
  const report = join(output, 'report.html');
  const ran: string[] = [];
  for (const stage of stages) {
    const { name } = stage;
    try {
      const state = await stateOfStage(stage, { output, records, results, overwrite });
      if (signal?.aborted && state.status !== 'done') {
        return { path: output, report, ran, interrupted: { stage: name, step: state.step } };
      }
      onEvent({ type: 'stage', stage, state });
      // Also for a stage that is done: its adapter cannot be used without its base.
      await mergeBases(recipe, stage, records, onEvent);
      if (state.status !== 'done') {
        const { result, seconds } = await runStage(recipe, stage, {
          ...{ state, records, signal },
          onEvent: (event) => onEvent({ type: 'run', stage, event }),
        });
        onEvent({ type: 'ended', stage, result, seconds });
        ran.push(name);
        if (result.interrupted) {
          return { path: output, report, ran, interrupted: { stage: name, step: result.step } };
        }
      }
      results.set(name, resultOf(stage, records[name]!));
      // After each stage, so that a recipe that takes days has a report before it ends.
      await writeRecipeReport(recipe, records, report);
    } catch (error) {
      throw new StageError(stage, stages.length, error);
    }
  }
  return { path: output, report, ran, interrupted: null };
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
      if (![stage.options[option]].flat().includes(path)) continue;
      const base = stages.find((one) => one.name === name)!;
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

const ownFile = /^(stages\.json|recipe\.yaml|report\.html)$/;

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
