// What the processes of a run agree on before it starts.
import { type Device, freeMemory, readLaunch } from '@keel/torch';
import type { TrainingOptions } from '../config/training-options.ts';
import { RunFolder, type RunFolderOptions } from '../runs/run-folder.ts';
import { workers } from '../sharing/workers.ts';

/** Of processes that train together, rank 0 writes the run folder. */
export async function openRunFolder(
  { output, resume }: TrainingOptions,
  options: RunFolderOptions,
): Promise<RunFolder> {
  const together = workers();
  let own: RunFolder | null = null;
  const create = async (): Promise<void> => {
    own = await RunFolder.create(output, options);
  };
  await (together === null ? create() : together.fromFirst(create));
  return own ?? RunFolder.follow(output, { resume });
}

/** Options that each process would choose by its own clock: all have those of rank 0. */
export async function sameEverywhere<Options extends TrainingOptions>(
  options: Options,
): Promise<Options> {
  const { output, templateDate } = options;
  const first = await workers()?.fromFirst(() => ({ output, templateDate }));
  return { ...options, ...first };
}

/**
 * Bytes that each process may use. All have the same, so that all have passes of the same size.
 */
export async function freeForEach(device: Device): Promise<number> {
  const free = freeMemory(device);
  const together = workers();
  if (together === null) return free;
  // Processes of a machine share its memory.
  const here = device === 'cpu' ? (readLaunch()?.localSize ?? 1) : 1;
  return Math.min(...(await together.gather(() => free / here)));
}
