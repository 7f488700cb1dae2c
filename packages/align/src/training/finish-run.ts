// Writes what follows the last step: the best weights, the result in final/, its card, and the
// report.
import type { LanguageModel } from '@keel/model';
import { probabilitiesText } from '../checking/label-probabilities.ts';
import { readRunDataFacts } from '../checking/run-data-facts.ts';
import type { OptionDescriptor } from '../config/options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { Environment } from '../runs/environment.ts';
import type { Headline, ReportData } from '../runs/report/report-data.ts';
import { type MeasuredHeadline, writeRunReport } from '../runs/report/run-report.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { type CheckpointParts, CheckpointWriter, whileOthersServe } from './checkpoint-writer.ts';
import { describeResult } from './describe-result.ts';
import type { Notice, RunData } from './run-data.ts';
import { RunFailedError } from './run-failed-error.ts';
import type { RunWatch } from './run-watch.ts';

export interface EndedRun {
  definition: { verb: string; descriptors: readonly OptionDescriptor[] };
  options: TrainingOptions;
  data: RunData;
  model: LanguageModel;
  run: RunFolder;
  loop: CheckpointParts;
  watch: RunWatch;
  environment: Environment;
  headlines: readonly MeasuredHeadline[];
  /** Planned steps. */
  steps: number;
  /** The last finished step. */
  step: number;
  heldOutRows: number;
  notice: Notice;
  /**
   * What the kind of run adds to the report. @param resultStep step of the best evaluation, whose
   * weights are loaded; null: the last step's are used
   */
  finish(resultStep: number | null): Promise<Partial<ReportData> | undefined>;
  /** Duration of the run up to now. */
  seconds(): number;
}

/**
 * @returns the numbers at the top of the report, and the evaluation whose weights are the result
 * @throws RunFailedError with every step in a checkpoint
 */
export async function finishRun(ended: EndedRun): Promise<{
  headlines: readonly Headline[];
  best?: { step: number; metric: string; value: number };
}> {
  const { definition, options, data, model, run, watch, environment, heldOutRows, notice } = ended;
  try {
    const { best } = watch;
    if (best !== null && best.step !== ended.step) {
      await saveLast(ended);
      await watch.loadBest();
    }
    const shown = await ended.finish(best?.step ?? null);
    const found = best && { best };
    const { optimiser, saveWeights } = ended.loop;
    await whileOthersServe(optimiser, async () => run.saveFinal(saveWeights));
    if (run.follows) return { headlines: [], ...found };
    const headlines = writeRunReport(run, {
      ...{ verb: definition.verb, options, headlines: ended.headlines, environment, shown },
      ...{ heldOutRows, labels: labelsOf(run.path), seconds: ended.seconds() },
      data: { training: data.rows.files, heldOut: data.heldOut?.files ?? null },
      ...{ health: watch.health, answers: watch.answers, best, batches: watch.batches },
    });
    const step = best?.step ?? ended.step;
    const made = { kind: definition, options, data, model, headlines, step };
    await describeResult(run.finalPath, made, notice);
    return { headlines, ...found };
  } catch (error) {
    const writer = await saveLast(ended);
    const left = { step: ended.step, checkpoint: writer.path, notSaved: writer.failure };
    throw new RunFailedError(error, left);
  }
}

/** How certain the labels of the training rows are, from the facts that the run recorded. */
function labelsOf(path: string): string | undefined {
  const training = readRunDataFacts(path)?.training;
  return training?.probabilities && probabilitiesText(training.probabilities, training.count);
}

/** Saves the last step: with --save-steps none, it is in no checkpoint yet. */
async function saveLast({ run, loop, options, steps, step }: EndedRun): Promise<CheckpointWriter> {
  const newest = await run.latestCheckpoint();
  const progress = { totalSteps: steps, evaluationDue: false };
  const saved = newest && { ...newest, ...progress };
  const writer = new CheckpointWriter(loop, saved, options.saveTotalLimit);
  await writer.save(step, progress).catch(() => {});
  return writer;
}
