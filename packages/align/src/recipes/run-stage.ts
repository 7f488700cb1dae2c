// Runs a stage that trains, and records its identity and its result.
import { setThreads, threads, trimMemory } from '@keel/torch';
import { hashPath } from '../data/hash-path.ts';
import type { RunHooks, RunResult, SharedParts } from '../training/run-training.ts';
import { finalFolder, type Recipe, type TrainingStage, verbOf } from './recipe.ts';
import { recordedHeadlines, StageRecorder } from './stage-recorder.ts';
import type { StageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

export interface StageRun {
  state: StageState;
  /** Updated, and written to stages.json, when the stage starts and ends. */
  records: StageRecords;
  onEvent(event: Parameters<NonNullable<RunHooks['onEvent']>>[0]): void;
  signal: AbortSignal | undefined;
  /** Opens the suites of `eval_suites`. */
  suites?: RunHooks['suites'];
  /** What its run shares with the runs of other stages. */
  shared?: SharedParts;
}

/** @returns the run's result and its duration in seconds */
export async function runStage(
  recipe: Pick<Recipe, 'output'> & { templateDate: string },
  stage: TrainingStage,
  { state, records, onEvent, signal, suites, shared }: StageRun,
): Promise<{ result: RunResult; seconds: number }> {
  const { name } = stage;
  const resume = state.status === 'resume';
  const recorder = new StageRecorder(recipe, name, { state, records });
  const count = threads();
  try {
    const run = await verbOf(stage).run();
    const result = await run(
      { ...stage.options, resume, overwrite: !resume },
      {
        onEvent,
        ...(signal && { signal }),
        ...(suites && { suites }),
        ...(shared && { shared }),
      },
    );
    const seconds = recorder.seconds();
    if (result.interrupted) recorder.save();
    else {
      recorder.save({
        sha256: await hashPath(finalFolder(recipe.output, name)),
        step: result.step,
        ended: new Date().toISOString(),
        headlines: recordedHeadlines(result.headlines),
      });
    }
    return { result, seconds };
  } finally {
    // A stage's --threads applies only to that stage.
    setThreads(count);
    trimMemory();
  }
}
