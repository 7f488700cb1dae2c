// The date that chat templates print, one for all stages of a recipe and all entries of a
// comparison.
import { existsSync } from 'node:fs';
import { localNow } from '../config/template-options.ts';
import type { RecipeStage } from './recipe.ts';
import { readStageFile } from './stage-records.ts';

/** The date recorded in a folder, or now. @param overwrite everything is run again */
export function sharedDate(output: string, overwrite: boolean): string {
  const recorded = existsSync(output) && !overwrite ? readStageFile(output).templateDate : null;
  return recorded ?? localNow();
}

/** Stages that do not set a date get the shared one. */
export function withSharedDate<
  Plan extends { output: string; stages: readonly RecipeStage[]; templateDate?: string },
>(plan: Plan, overwrite: boolean): Plan & { templateDate: string } {
  const templateDate = plan.templateDate ?? sharedDate(plan.output, overwrite);
  const stages = plan.stages.map((stage) => {
    const { options } = stage;
    return options.templateDate === null
      ? { ...stage, options: { ...options, templateDate } }
      : stage;
  });
  return { ...plan, stages, templateDate };
}
