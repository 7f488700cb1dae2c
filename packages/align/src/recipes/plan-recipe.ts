// Plans a call: each stage's state, and the cost of those that will run.
import { existsSync } from 'node:fs';
import type { FileHash } from '../data/open-rows.ts';
import { estimateStage, type StageEstimate } from './estimate-stage.ts';
import { dependsOn, isMeasuring, type Recipe, type RecipeStage } from './recipe.ts';
import { withSharedDate } from './shared-date.ts';
import { StageError } from './stage-error.ts';
import type { KnownResults } from './stage-identity.ts';
import { readStageRecords } from './stage-records.ts';
import { type StageState, stateOfStage } from './stage-state.ts';

export interface PlannedStage {
  stage: RecipeStage;
  state: StageState;
  /** null for a stage that is done, that trains nothing, or that waits for rows. */
  estimate: StageEstimate | null;
  /** Stages that have yet to write the rows that it trains on. */
  waitsFor: string[];
}

export interface RecipePlan {
  stages: PlannedStage[];
  /**
   * Stages other than the last that make a model or rows that no stage uses, perhaps by mistake.
   */
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
      const pending = [...stage.from].flatMap(([option, names]) =>
        names.some((one) => results.get(one) === null) ? [option] : [],
      );
      if (!done && stage.kind === 'job') await stage.job.check?.(stage.options, pending);
      const known = done || stage.kind === 'job';
      const waitsFor = known ? [] : rowsNotWritten(stage, { stages, results });
      const estimate =
        known || waitsFor.length > 0
          ? null
          : await estimateStage(recipe, stage, state.step, notice);
      planned.push({ stage, state, estimate, waitsFor });
    } catch (error) {
      throw new StageError(stage, stages.length, error);
    }
  }
  const used = new Set(stages.flatMap(dependsOn));
  const making = stages.filter((one) => !isMeasuring(one));
  const unused = making.slice(0, -1).flatMap(({ name }) => (used.has(name) ? [] : [name]));
  return { stages: planned, unused };
}

/** The jobs whose rows a stage uses and that have not run yet. */
function rowsNotWritten(
  stage: RecipeStage,
  { stages, results }: Pick<Recipe, 'stages'> & { results: KnownResults },
): string[] {
  return dependsOn(stage).filter(
    (name) => results.get(name) === null && stages.find((one) => one.name === name)?.kind === 'job',
  );
}
