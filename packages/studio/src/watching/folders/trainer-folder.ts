// The folder that transformers' Trainer, and so TRL, writes to: checkpoints with its state.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './read-files.ts';

const NAME = 'trainer_state.json';

/** The step of a checkpoint by its folder's name; null for other names. */
export function checkpointStep(name: string): number | null {
  const step = /^checkpoint-(\d+)$/.exec(name)?.[1];
  return step === undefined ? null : Number(step);
}

/** Steps of the checkpoints in a folder, in ascending order. */
export const checkpointSteps = (output: string): number[] =>
  namesIn(output)
    .flatMap((name) => checkpointStep(name) ?? [])
    .sort((a, b) => a - b);

/** Milliseconds within which a copy of a folder is made: then times say nothing. */
const COPIED = 60_000;

/**
 * The state files of a folder, that of the last checkpoint first: the latest ones, which are not
 * always those of the highest step, since a run may start again in the folder of an old one.
 */
export function stateFiles(output: string): { path: string; name: string; time: number }[] {
  const folders = namesIn(output).filter((name) => checkpointStep(name) !== null);
  const found = ['', ...folders].flatMap((folder) => {
    const name = join(folder, NAME);
    const time = stateOf(output, name);
    const step = checkpointStep(folder) ?? Number.POSITIVE_INFINITY;
    return time === null ? [] : [{ path: join(output, name), name, time, step }];
  });
  const last = Math.max(...found.map(({ time }) => time));
  const isLate = ({ time }: { time: number }): boolean => time > last - COPIED;
  return found.sort((a, b) =>
    isLate(a) && isLate(b) ? b.step - a.step || b.time - a.time : b.time - a.time,
  );
}

/**
 * Whether a folder with these names is a Trainer's: it has its state, or a checkpoint that does.
 */
export const isTrainerFolder = (output: string, names: readonly string[]): boolean =>
  names.some(
    (name) =>
      name === NAME ||
      (checkpointStep(name) !== null && stateOf(output, join(name, NAME)) !== null),
  );

/** When a state file was written; null: there is none. */
function stateOf(output: string, name: string): number | null {
  try {
    const found = statSync(join(output, name), { throwIfNoEntry: false });
    return found?.isFile() ? found.mtimeMs : null;
  } catch {
    return null;
  }
}
