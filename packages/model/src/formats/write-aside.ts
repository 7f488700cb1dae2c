import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Name beside `path` for a file that is not yet whole. */
export const asidePath = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);

/**
 * Writes `path` through a file beside it that is synced and renamed: a reader sees the old file or the whole new one.
 * Where `fill` throws, nothing is left behind.
 */
export const writeAside = (
  path: string,
  fill: (append: (bytes: Uint8Array) => void) => void,
): void => {
  mkdirSync(dirname(path), { recursive: true });
  const aside = asidePath(path);
  const descriptor = openSync(aside, 'wx');
  let open = true;
  try {
    fill((bytes) => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 2 ** 30));
      }
    });
    fsyncSync(descriptor);
    closeSync(descriptor);
    open = false;
    renameSync(aside, path);
  } catch (error) {
    if (open) closeSync(descriptor);
    rmSync(aside, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
};

// The rename itself is only durable once the folder is synced; some systems cannot sync folders.
const syncFolder = (folder: string): void => {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
