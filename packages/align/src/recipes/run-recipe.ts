// Runs a recipe's stages one after the other: what `keel align` is.
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

/** What happens while a recipe runs. */
export type RecipeEvent =
  | { type: 'stage'; stage: RecipeStage; state: StageState }
  /** An event of the stage's own run. */
  | { type: 'run'; stage: RecipeStage; event: RunEvent }
  /** The stage's adapter is merged into its base, for the stages after it. */
  | { type: 'merge'; stage: RecipeStage; path: string }
  | { type: 'ended'; stage: RecipeStage; result: RunResult; seconds: number };

export interface RecipeHooks {
  onEvent?(event: RecipeEvent): void;
  /** Finishes the step under way, writes a checkpoint and ends. */
  signal?: AbortSignal;
  /** Every stage begins anew. */
  overwrite?: boolean;
}

export interface RecipeResult {
  /** The recipe's folder. */
  path: string;
  report: string;
  /** Stages that ran in this call. */
  ran: string[];
  /** Where a signal stopped it; null where all stages are done. */
  interrupted: { stage: string; step: number } | null;
}

/**
 * Runs what is not done yet. Stages are kept in stages.json as they begin and end, so that the next
 * call goes on.
 * @throws StageError where a stage fails
 * @throws Error where the folder is another's, or another process runs the recipe in it
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
      // Also below a stage that is done: its adapter is of no use without.
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
      // After each: a recipe that takes days has a report before its end.
      await writeRecipeReport(recipe, records, report);
    } catch (error) {
      throw new StageError(stage, stages.length, error);
    }
  }
  return { path: output, report, ran, interrupted: null };
}

/** Writes the merged models that a stage loads, where they are not there yet. */
async function mergeBases(
  { output, stages }: Recipe,
  stage: RecipeStage,
  records: StageRecords,
  onEvent: (event: RecipeEvent) => void,
): Promise<void> {
  for (const [option, names] of stage.from) {
    for (const name of names) {
      const path = mergedFolder(output, name);
      // What the option stands for says whether it takes the adapter or the merged model.
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
 * A folder with other things in it is not written into.
 * @param what writes: "a recipe"
 */
export function refuseOtherFolder(output: string, what = 'a recipe'): void {
  if (!existsSync(output) || existsSync(join(output, 'stages.json'))) return;
  const other = readdirSync(output).find(
    (name) => !name.startsWith(LOCK_NAME) && !ownFile.test(name) && !/^\..*\.partial-/.test(name),
  );
  if (other === undefined) return;
  throw new Error(
    `${output}: is not empty and not ${what}'s folder (it holds ${other}); give ${what.replace(/^an? /, 'the ')} another output`,
  );
}
