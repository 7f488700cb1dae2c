// Runs a stage that measures, and records its identity and its result.
import { setThreads, threads, trimMemory } from '@keel/torch';
import { measuredHash } from './measured-hash.ts';
import type { MeasuringHooks, MeasuringResult } from './measuring-verb.ts';
import type { MeasuringStage, Recipe } from './recipe.ts';
import { recordedHeadlines, StageRecorder } from './stage-recorder.ts';
import type { StageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

export interface MeasuringRun extends MeasuringHooks {
  state: StageState;
  /** Updated, and written to stages.json, when the stage starts and ends. */
  records: StageRecords;
}

/** @returns what was measured and its duration in seconds */
export async function runMeasuring(
  recipe: Pick<Recipe, 'output'> & { templateDate: string },
  stage: MeasuringStage,
  { state, records, ...hooks }: MeasuringRun,
): Promise<{ result: MeasuringResult; seconds: number }> {
  const recorder = new StageRecorder(recipe, stage.name, { state, records });
  const count = threads();
  try {
    const run = await stage.measures.run();
    const result = await run({ ...stage.options, resume: state.status === 'resume' }, hooks);
    const seconds = recorder.seconds();
    if (result.interrupted) recorder.save();
    else {
      const sha256 = await measuredHash(recipe.output, stage);
      if (sha256 === null) {
        const files = stage.measures.results.join(', ');
        throw new Error(`keel ${stage.verb} wrote no result (${files}) in ${stage.options.output}`);
      }
      recorder.save({
        ...{ sha256, step: 0, ended: new Date().toISOString() },
        headlines: recordedHeadlines(result.headlines),
        ...(result.verdict !== null && {
          verdict: { ...result.verdict, reasons: [...result.verdict.reasons] },
        }),
      });
    }
    return { result, seconds };
  } finally {
    // A stage's --threads applies only to that stage.
    setThreads(count);
    trimMemory();
  }
}
