// Runs a stage that trains nothing, and records its identity and its result.
import { setThreads, threads, trimMemory } from '@keel/torch';
import { jobHash } from './job-hash.ts';
import type { JobHooks, JobResult } from './job-verb.ts';
import type { JobStage, Recipe } from './recipe.ts';
import { recordedHeadlines, StageRecorder } from './stage-recorder.ts';
import type { StageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

export interface JobRun extends JobHooks {
  state: StageState;
  /** Updated, and written to stages.json, when the stage starts and ends. */
  records: StageRecords;
}

/** @returns the job's result and its duration in seconds */
export async function runJobStage(
  recipe: Pick<Recipe, 'output'> & { templateDate: string },
  stage: JobStage,
  { state, records, ...hooks }: JobRun,
): Promise<{ result: JobResult; seconds: number }> {
  const recorder = new StageRecorder(recipe, stage.name, { state, records });
  const count = threads();
  try {
    const run = await stage.job.run();
    const result = await run({ ...stage.options, resume: state.status === 'resume' }, hooks);
    const seconds = recorder.seconds();
    if (result.interrupted) recorder.save();
    else {
      const sha256 = await jobHash(recipe.output, stage);
      if (sha256 === null) {
        const files = stage.job.results.join(', ');
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
