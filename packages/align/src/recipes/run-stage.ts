// Runs one stage and records its identity and its result.
import { setThreads, threads, trimMemory } from '@keel/torch';
import { hashPath } from '../data/hash-path.ts';
import type { RunHooks, RunResult, SharedParts } from '../training/run-training.ts';
import { finalFolder, type Recipe, type RecipeStage, verbOf } from './recipe.ts';
import { type StageRecords, writeStageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

export interface StageRun {
  state: StageState;
  /** Updated, and written to stages.json, when the stage starts and ends. */
  records: StageRecords;
  onEvent(event: Parameters<NonNullable<RunHooks['onEvent']>>[0]): void;
  signal: AbortSignal | undefined;
  /** What its run shares with the runs of other stages. */
  shared?: SharedParts;
}

/** @returns the run's result and its duration in seconds */
export async function runStage(
  { output, templateDate }: Pick<Recipe, 'output'> & { templateDate: string },
  stage: RecipeStage,
  { state, records, onEvent, signal, shared }: StageRun,
): Promise<{ result: RunResult; seconds: number }> {
  const { name } = stage;
  const resume = state.status === 'resume';
  const before = resume ? records[name] : undefined;
  const started = performance.now();
  const record = {
    identity: state.identity,
    began: before?.began ?? new Date().toISOString(),
    seconds: before?.seconds ?? 0,
    result: null,
  };
  const save = (seconds: number, result: StageRecords[string]['result'] = null): void => {
    records[name] = { ...record, seconds: Number((record.seconds + seconds).toFixed(1)), result };
    writeStageRecords(output, records, templateDate);
  };
  save(0);
  const count = threads();
  try {
    const run = await verbOf(stage).run();
    const result = await run(
      { ...stage.options, resume, overwrite: !resume },
      { onEvent, ...(signal && { signal }), ...(shared && { shared }) },
    );
    const seconds = (performance.now() - started) / 1000;
    if (result.interrupted) save(seconds);
    else {
      save(seconds, {
        sha256: await hashPath(finalFolder(output, name)),
        step: result.step,
        ended: new Date().toISOString(),
        headlines: (result.headlines ?? []).map(({ before, after, ...headline }) => ({
          ...headline,
          before: before?.value ?? null,
          after: after.value,
        })),
      });
    }
    return { result, seconds };
  } finally {
    // A stage's --threads applies only to that stage.
    setThreads(count);
    trimMemory();
  }
}
