// What jobs that sample answers into an output have in common: best-of-n, revising, labelling.
import type { GenerateOptions } from '@keel/model';
import { makeFolder } from '@keel/model';
import { refuseSystemFolder, refuseUnwritable } from './output-folder.ts';
import { lockFile, refuseLockedFile } from './run-lock.ts';

/** How answers are sampled; all of it is part of a job's identity. */
export type SamplingSettings = Required<
  Pick<
    GenerateOptions,
    | 'maxNewTokens'
    | 'minNewTokens'
    | 'temperature'
    | 'topK'
    | 'topP'
    | 'minP'
    | 'repetitionPenalty'
    | 'stopStrings'
    | 'seed'
  >
>;

/** The settings by their options. */
export const samplingIdentity = (
  sampling: SamplingSettings,
): Record<string, string | number | null> => ({
  '--max-new-tokens': sampling.maxNewTokens,
  '--min-new-tokens': sampling.minNewTokens,
  '--temperature': sampling.temperature,
  '--top-k': sampling.topK,
  '--top-p': sampling.topP,
  '--min-p': sampling.minP,
  '--repetition-penalty': sampling.repetitionPenalty,
  '--stop': sampling.stopStrings.join(', ') || null,
  '--seed': sampling.seed,
});

/**
 * Takes the output of a job for this process, or only checks that it could.
 * @param file the output, next to which the unfinished job and its lock are
 * @param folder in which it is
 * @param owned releases the output
 * @throws Error if the folder cannot be written to, or another process works on the output
 */
export function claimOutput(
  file: string,
  folder: string,
  {
    dryRun,
    owned,
    notice,
  }: {
    dryRun: boolean;
    owned: DisposableStack;
    notice: ((text: string) => void) | undefined;
  },
): void {
  const lock = `${file}.partial.lock`;
  refuseSystemFolder(folder);
  if (dryRun) {
    refuseUnwritable(folder);
    refuseLockedFile(lock, file);
    return;
  }
  makeFolder(folder);
  owned.defer(lockFile(lock, file, notice));
}
