import { launchProcesses } from '@keel/torch/launch';
import { exitCodes } from '../failure.ts';
import type { LaunchCommandOptions } from '../options/launch.ts';
import { complain } from '../terminal.ts';

/** @returns the exit code of the process that failed first, or 0 */
export async function run(options: LaunchCommandOptions): Promise<number> {
  const { processes, threads, port, command } = options;
  if (processes === 1) complain('note: one process trains by itself; pass --processes 2 or more');
  const program = process.argv[1]!;
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const;
  using listening = new DisposableStack();
  const { exitCode, failed } = await launchProcesses(process.execPath, [program, ...command], {
    ...{ processes, threads, port },
    onStart(send) {
      for (const name of forwarded) {
        const forward = (): void => send(name);
        process.on(name, forward);
        listening.defer(() => void process.off(name, forward));
      }
    },
  });
  const stopped = [
    exitCodes.interrupted,
    exitCodes.terminated,
    exitCodes.hungUp,
    exitCodes.requeued,
  ] as number[];
  if (failed !== null && !stopped.includes(exitCode) && processes > 1) {
    complain(`Rank ${failed} ended first, with exit code ${exitCode}.`);
  }
  return exitCode;
}
