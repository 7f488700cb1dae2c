// Plans a call: each entry's state, and the cost of those that will run.
import { estimateStage, type StageEstimate } from '../recipes/estimate-stage.ts';
import type { PlannedStage, PlanOptions, RecipePlan } from '../recipes/plan-recipe.ts';
import { StageError } from '../recipes/stage-error.ts';
import { readStageRecords } from '../recipes/stage-records.ts';
import { stateOfStage } from '../recipes/stage-state.ts';
import type { CompareEntry, Comparison } from './comparison.ts';
import { estimateMeasuring, type MeasuringEstimate } from './estimate-measuring.ts';

export interface ComparisonPlan extends RecipePlan {
  /** null if everything is measured. */
  measuring: MeasuringEstimate | null;
}

/**
 * Checks everything that a call would check, but runs nothing.
 * @throws StageError if an entry's files or folders are invalid
 */
export async function planComparison(
  comparison: Comparison,
  { overwrite = false, notice = () => {} }: PlanOptions = {},
): Promise<ComparisonPlan> {
  const { output, stages, steps } = comparison;
  const records = overwrite ? {} : readStageRecords(output);
  const known = new Map<string, StageEstimate>();
  const planned: PlannedStage[] = [];
  for (const stage of stages) {
    try {
      const state = await stateOfStage(stage, {
        ...{ output, records, results: new Map(), overwrite },
      });
      let estimate: StageEstimate | null = null;
      if (state.status !== 'done') {
        // Entries of one kind cost the same, so their rows are measured once.
        const kind = `${costOf(stage)} ${state.step}`;
        estimate = known.get(kind) ?? (await estimateStage(comparison, stage, state.step, notice));
        known.set(kind, estimate);
        // The file of single answers has a few spare rows, to replace those that are too long.
        if (stage.verb === 'kto') {
          estimate = { ...estimate, rows: steps * stage.options.batchSize };
        }
      }
      planned.push({ stage, state, estimate, waitsFor: [] });
    } catch (error) {
      throw new StageError(stage, stages.length, error, 'entry');
    }
  }
  const states = planned.map(({ state }) => state);
  const measuring = await estimateMeasuring(comparison, states, records, notice);
  return { stages: planned, unused: [], measuring };
}

const costOf = ({ verb, objective, options }: CompareEntry): string =>
  JSON.stringify([
    verb,
    verb === 'kto' && objective.loss,
    objective.needsReference,
    options.referenceSyncSteps,
    options.loraRank,
    options.loraTargets,
    options.loraLayers,
  ]);
