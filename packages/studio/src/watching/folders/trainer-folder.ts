// The folder that transformers' Trainer, and so TRL, writes to: checkpoints with its state.
import { join } from 'node:path';
import { ownFile } from './own-file.ts';
import { LARGEST, namesIn } from './read-files.ts';
import type { RunRoot } from './run-root.ts';

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

/** State files of a folder. */
export interface StateFiles {
  /** That of the last checkpoint first. */
  files: { path: string; name: string; time: number }[];
  /** Those that are not read, a sentence each. */
  leftOut: string[];
}

/**
 * The state files of a folder. The last ones are the latest, which are not always those of the
 * highest step, since a run may start again in the folder of an old one.
 */
export function stateFiles(root: RunRoot, output: string): StateFiles {
  const leftOut: string[] = [];
  const folders = namesIn(output).filter((name) => checkpointStep(name) !== null);
  const found = ['', ...folders].flatMap((folder) => {
    const name = join(folder, NAME);
    const file = ownFile(root, output, name, LARGEST);
    if (file === null) return [];
    if (file.fault !== null) {
      leftOut.push(`${name}: ${file.fault}`);
      return [];
    }
    const { path, time } = file;
    return [{ path, name, time, step: checkpointStep(folder) ?? Number.POSITIVE_INFINITY }];
  });
  const last = Math.max(...found.map(({ time }) => time));
  const isLate = ({ time }: { time: number }): boolean => time > last - COPIED;
  const files = found.sort((a, b) =>
    isLate(a) && isLate(b) ? b.step - a.step || b.time - a.time : b.time - a.time,
  );
  return { files, leftOut };
}

/**
 * Whether a folder with these names is a Trainer's: it has its state, or a checkpoint that does.
 */
export const isTrainerFolder = (root: RunRoot, output: string, names: readonly string[]): boolean =>
  names.some(
    (name) =>
      name === NAME ||
      (checkpointStep(name) !== null && ownFile(root, output, join(name, NAME)) !== null),
  );
