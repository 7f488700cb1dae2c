import { type Launch, ProcessGroup, processGroup, readLaunch, setProcessGroup } from '@keel/torch';

/** How often this process has joined others: each time has its own entries in their store. */
let joined = 0;

/**
 * Joins the processes that were started with this one, if there are any: by torchrun, srun or
 * `keel launch`. Disposing of the result leaves them, unless they were joined before.
 * @param seconds that a process waits for the slowest
 * @throws Error where the variables of the launcher are not whole
 * @throws GroupError naming the ranks that do not come
 */
export async function joinProcesses(seconds: number): Promise<AsyncDisposable> {
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
