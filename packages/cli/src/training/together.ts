import { conductTrainings, followTrainings } from '@keel/align/internal';
import { exitCodes } from '../failure.ts';
import { openSuitesLater } from './open-suites.ts';
import { StopSignals } from './stop-signals.ts';

/** Seconds in which the processes give a sign of life. */
const TIMEOUT = 1800;

/**
 * Runs a program of several trainings in rank 0. Other processes that a launcher has started take
 * part in its trainings.
 * @returns the exit code
 */
export async function inRankZero(program: () => Promise<number>): Promise<number> {
  await using conductor = await conductTrainings(TIMEOUT);
  if (conductor === null || !conductor.follows) return await program();
  using stop = new StopSignals(() => {});
  await followTrainings(conductor, { signal: stop.signal, openSuites: openSuitesLater });
  return exitCodes.done;
}
