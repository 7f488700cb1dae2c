// The cache only saves time: a run works without it if it cannot be read or written.
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileError, fileError, makeFolder } from '@keel/model';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** A cached file; null if there is none, or it cannot be read. */
export function readCached(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (fileError(error, { path }) instanceof FileError) return null;
    throw error;
  }
}

/**
 * Writes a file to the cache.
 * @param what the values to cache, for the notice
 * @param notice receives a message if the file system refuses
 */
export function keepInCache(
  path: string,
  data: Uint8Array,
  what: string,
  notice: (text: string) => void,
): void {
  try {
    makeFolder(dirname(path));
    writeFileAtomic(path, data);
  } catch (error) {
    const known = fileError(error, { path, use: 'written', bytes: data.byteLength });
    if (!(known instanceof FileError)) throw error;
    notice(
      `The cache is not used for ${what}, so the next run computes them again. ${known.message}`,
    );
  }
}

/** Removes a cached file, if possible. */
export function removeCached(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!(fileError(error, { path }) instanceof FileError)) throw error;
  }
}
