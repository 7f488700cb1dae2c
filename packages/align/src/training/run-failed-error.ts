import { thrownText } from '../rewards/checked-outcomes.ts';

/** What a failed run has saved. */
export interface LeftOfRun {
  /** Optimizer steps that had finished. */
  step: number;
  /** Folder of the newest checkpoint; null: there is none. */
  checkpoint: string | null;
  /**
   * Why the state after `step` could not be saved; absent where it is saved, or where there was
   * nothing to save.
   */
  notSaved?: unknown;
}

/** Something ended a run between its first step and its result. The cause is what was thrown. */
export class RunFailedError extends Error {
  override readonly name = 'RunFailedError';
  /** Optimizer steps that had finished. */
  readonly step: number;
  /** Folder of the checkpoint that `--resume` continues from; null: there is none. */
  readonly checkpoint: string | null;

  constructor(cause: unknown, left: LeftOfRun) {
    super(`${thrownText(cause)}\n${wordsFor(left)}`, { cause });
    this.step = left.step;
    this.checkpoint = left.checkpoint;
  }
}

function wordsFor({ step, checkpoint, notSaved }: LeftOfRun): string {
  if (notSaved !== undefined) {
    const newest =
      checkpoint === null ? 'There is no checkpoint' : `The newest checkpoint is ${checkpoint}`;
    return `The state after step ${step} could not be saved: ${thrownText(notSaved).replace(/\.$/, '')}. ${newest}.`;
  }
  if (checkpoint === null) return 'No step had finished. Start again with the same command.';
  return `The state after step ${step} is saved in ${checkpoint}.`;
}
