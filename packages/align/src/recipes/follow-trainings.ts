import { methodVerbs } from '../methods/verbs.ts';
import type { Conductor } from '../sharing/conductor.ts';
import { StoppedElsewhere, thrownElsewhere } from '../sharing/shared-error.ts';
import type { RunHooks } from '../training/run-training.ts';

/**
 * Takes part in the trainings that rank 0 announces, until it has none left.
 * @throws Error what went wrong in this process
 */
export async function followTrainings(
  conductor: Conductor,
  hooks: Pick<RunHooks, 'signal' | 'openSuites'>,
): Promise<void> {
  for (let job = await conductor.next(); job !== null; job = await conductor.next()) {
    const { verb, options } = job as { verb: string; options: never };
    const train = await methodVerbs.find(({ name }) => name === verb)!.run();
    try {
      await train(options, hooks);
    } catch (error) {
      // Rank 0 has the same error, and decides what follows.
      if (!thrownElsewhere(error) && !(error instanceof StoppedElsewhere)) throw error;
    }
  }
}
