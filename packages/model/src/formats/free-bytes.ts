import { statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Free bytes of the file system that a path is or would be on; null if the system does not report
 * it.
 */
export function freeBytes(path: string): number | null {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (folder === dirname(folder)) return null;
    }
  }
}
