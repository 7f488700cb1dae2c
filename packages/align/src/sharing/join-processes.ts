import { type Launch, ProcessGroup, processGroup, readLaunch, setProcessGroup } from '@keel/torch';
import { Conductor } from './conductor.ts';

/** How often this process has joined others: each time has its own entries in their store. */
let joined = 0;

/** Where rank 0 runs a program of several trainings. */
let conductor: Conductor | null = null;

/**
 * From now on, trainings of this process are those of all processes that were started with it: rank
 * 0 announces them, and the others take part with {@link Conductor.next}.
 * @returns null if this is the only process
 * @throws GroupError naming the ranks that do not come
 */
export async function conductTrainings(seconds: number): Promise<Conductor | null> {
  conductor = await Conductor.begin(seconds);
  return conductor;
}

/**
 * Joins the processes that were started with this one, if there are any: by torchrun, srun or
 * `keel launch`. Disposing of the result leaves them.
 * @param seconds that a process waits for the slowest
 * @param job what others run to take part, where rank 0 announces trainings
 * @throws Error where the variables of the launcher are not whole
 * @throws GroupError naming the ranks that do not come
 */
export async function joinProcesses(seconds: number, job?: unknown): Promise<AsyncDisposable> {
  if (conductor !== null) return await joinConducted(conductor, job);
  const launch = processGroup() === null ? readLaunch() : null;
  if (launch === null) return { [Symbol.asyncDispose]: async () => {} };
  const own: Launch = { ...launch, attempt: `${launch.attempt}/${joined++}` };
  const group = await ProcessGroup.join(own, { timeout: seconds });
  setProcessGroup(group);
  return {
    async [Symbol.asyncDispose]() {
      setProcessGroup(null);
      await group.close();
    },
  };
}

async function joinConducted(own: Conductor, job: unknown): Promise<AsyncDisposable> {
  if (!own.follows) await own.announce(job);
  setProcessGroup(own.group);
  return {
    async [Symbol.asyncDispose]() {
      setProcessGroup(null);
      own.rest();
    },
  };
}
