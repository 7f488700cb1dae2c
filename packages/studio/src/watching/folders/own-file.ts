// Files of a run that another trainer wrote: only regular ones inside the watched folder, up to a
// size.
import { existsSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRoot } from './run-root.ts';

/** A file that may be read, or why it may not be, as the end of a sentence. */
export type OwnFile =
  | { path: string; inode: number; size: number; time: number; fault: null }
  | { fault: string };

/**
 * @param name of the file, also with a folder: `checkpoint-8/trainer_state.json`
 * @param largest bytes that are read (default: no limit)
 * @returns null if there is no such file
 */
export function ownFile(
  root: RunRoot,
  folder: string,
  name: string,
  largest = Number.POSITIVE_INFINITY,
): OwnFile | null {
  const path = root.within(folder, name);
  if (path === null) {
    return existsSync(join(folder, name))
      ? { fault: 'is a link that leads out of the watched folder, so it is not read' }
      : null;
  }
  const found = statsOf(path);
  if (!found?.isFile()) return null;
  const { ino: inode, size, mtimeMs: time } = found;
  if (size <= largest) return { path, inode, size, time, fault: null };
  return { fault: `is larger than ${largest / 1e6} MB, so it is not read` };
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
