import { conductTrainings, followTrainings } from '@keel/align/internal';
import { exitCodes } from '../failure.ts';
import { openSuitesLater } from './open-suites.ts';
import { StopSignals } from './stop-signals.ts';

/**
 * Runs a program of several trainings in rank 0. Other processes that a launcher has started take
 * part in its trainings.
 * @param options `processTimeout`: seconds that a process waits for a sign of life of the others
 * @returns the exit code
 */
export async function inRankZero(
  { processTimeout }: { processTimeout: number },
  program: () => Promise<number>,
): Promise<number> {
  await using conductor = await conductTrainings(processTimeout);
  if (conductor === null || !conductor.follows) return await program();
  using stop = new StopSignals(() => {});
  await followTrainings(conductor, { signal: stop.signal, openSuites: openSuitesLater });
  return exitCodes.done;
}
