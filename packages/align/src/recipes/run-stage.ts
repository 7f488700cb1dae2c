// Runs one stage and keeps what it was made of and what it ended in.
import { setThreads, threads, trimMemory } from '@keel/torch';
import { hashPath } from '../data/hash-path.ts';
import type { RunHooks, RunResult, SharedParts } from '../training/run-training.ts';
import { finalFolder, type Recipe, type RecipeStage, verbOf } from './recipe.ts';
import { type StageRecords, writeStageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

export interface StageRun {
  state: StageState;
  /** Changed, and written to stages.json, as the stage begins and ends. */
  records: StageRecords;
  onEvent(event: Parameters<NonNullable<RunHooks['onEvent']>>[0]): void;
  signal: AbortSignal | undefined;
  /** What its run has in common with those of other stages. */
  shared?: SharedParts;
}

/** @returns the run's result, and the seconds that it took */
export async function runStage(
  { output, templateDate }: Pick<Recipe, 'output'> & { templateDate: string },
  stage: RecipeStage,
  { state, records, onEvent, signal, shared }: StageRun,
): Promise<{ result: RunResult; seconds: number }> {
  const { name } = stage;
  const resume = state.status === 'resume';
  const before = resume ? records[name] : undefined;
  const began = performance.now();
  const record = {
    identity: state.identity,
    began: before?.began ?? new Date().toISOString(),
    seconds: before?.seconds ?? 0,
    result: null,
  };
  const keep = (seconds: number, result: StageRecords[string]['result'] = null): void => {
    records[name] = { ...record, seconds: Number((record.seconds + seconds).toFixed(1)), result };
    writeStageRecords(output, records, templateDate);
  };
  keep(0);
  const count = threads();
  try {
    const run = await verbOf(stage).run();
    const result = await run(
      { ...stage.options, resume, overwrite: !resume },
      { onEvent, ...(signal && { signal }), ...(shared && { shared }) },
    );
    const seconds = (performance.now() - began) / 1000;
    if (result.interrupted) keep(seconds);
    else {
      keep(seconds, {
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
    // A stage's --threads are its own.
    setThreads(count);
    trimMemory();
  }
}
