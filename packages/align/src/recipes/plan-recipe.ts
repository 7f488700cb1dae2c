// Plans a call: each stage's state, and the cost of those that will run.
import { existsSync } from 'node:fs';
import type { FileHash } from '../data/open-rows.ts';
import { estimateStage, type StageEstimate } from './estimate-stage.ts';
import { dependsOn, type Recipe, type RecipeStage } from './recipe.ts';
import { withSharedDate } from './shared-date.ts';
import { StageError } from './stage-error.ts';
import { readStageRecords } from './stage-records.ts';
import { type StageState, stateOfStage } from './stage-state.ts';

export interface PlannedStage {
  stage: RecipeStage;
  state: StageState;
  /** null for a stage that is done, or that measures. */
  estimate: StageEstimate | null;
}

export interface RecipePlan {
  stages: PlannedStage[];
  /** Training stages other than the last whose result no stage uses, perhaps by mistake. */
  unused: string[];
}

export interface PlanOptions {
  /** Run every stage from the start. */
  overwrite?: boolean;
  /** Receives a message if this machine has to be measured first. */
  notice?(text: string): void;
}

/**
 * Checks everything that a call would check, but runs nothing.
 * @throws StageError if rows, models or folders are invalid
 */
export async function planRecipe(
  asked: Recipe,
  { overwrite = false, notice = () => {} }: PlanOptions = {},
): Promise<RecipePlan> {
  const recipe = withSharedDate(asked, overwrite);
  const { output, stages } = recipe;
  const records = existsSync(output) && !overwrite ? readStageRecords(output) : {};
  const results = new Map<string, readonly FileHash[] | null>();
  const planned: PlannedStage[] = [];
  for (const stage of stages) {
    try {
      const state = await stateOfStage(stage, { output, records, results, overwrite });
      results.set(stage.name, state.result);
      const done = state.status === 'done';
      if (!done && stage.kind === 'measuring') await stage.measures.check?.(stage.options);
      const estimate =
        done || stage.kind === 'measuring'
          ? null
          : await estimateStage(recipe, stage, state.step, notice);
      planned.push({ stage, state, estimate });
    } catch (error) {
      throw new StageError(stage, stages.length, error);
    }
  }
  const used = new Set(stages.flatMap(dependsOn));
  const trained = stages.filter(({ kind }) => kind === 'training');
  const unused = trained.slice(0, -1).flatMap(({ name }) => (used.has(name) ? [] : [name]));
  return { stages: planned, unused };
}
