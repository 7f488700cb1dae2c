import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';
import { makeFolder } from './make-folder.ts';

/** Name of a temporary file next to `path`, for use until it is complete. */
export const asidePath = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);

/**
 * Writes `path` through a temporary file next to it that is synced and renamed: a reader sees the
 * old file or the whole new one. If `fill` throws, nothing is left behind.
 * @param bytes size of the whole file, for the error when the disk is full
 * @throws FileError naming `path` if the file system refuses; whatever `fill` throws
 */
export const writeAside = (
  path: string,
  fill: (append: (bytes: Uint8Array) => void) => void,
  bytes?: number,
): void => {
  let aside: string | null = null;
  let descriptor: number | null = null;
  try {
    makeFolder(dirname(path));
    const own = asidePath(path);
    descriptor = openSync(own, 'wx');
    aside = own;
    const to = descriptor;
    fill((piece) => {
      for (let done = 0; done < piece.length; ) {
        done += writeSync(to, piece, done, Math.min(piece.length - done, 2 ** 30));
      }
    });
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = null;
    renameSync(aside, path);
    syncFolder(dirname(path));
  } catch (error) {
    if (descriptor !== null) closeSync(descriptor);
    if (aside !== null) rmSync(aside, { force: true });
    throw fileError(error, { path, use: 'written', ...(bytes !== undefined && { bytes }) });
  }
};

// The rename is durable only once the folder is synced; some systems cannot sync folders.
const syncFolder = (folder: string): void => {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
