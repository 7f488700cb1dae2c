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
