import { makeFolder } from '@keel/model';
import { refuseSystemFolder, refuseUnwritable } from './output-folder.ts';
import { lockRun } from './run-lock.ts';

/**
 * Creates a folder if it is missing, and keeps other processes out of it until the end.
 * @throws Error if it belongs to the system, cannot be created or written to, or another process
 *   works on it
 */
export function claimFolder(folder: string, notice?: (text: string) => void): Disposable {
  refuseSystemFolder(folder);
  refuseUnwritable(folder);
  makeFolder(folder);
  const unlock = lockRun(folder, notice);
  return { [Symbol.dispose]: unlock };
}
