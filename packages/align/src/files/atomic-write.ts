import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { access, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, fileError, makeFolder, movedFileError } from '@keel/model';
import { identityRuns, ownIdentity } from './process-identity.ts';

const leftover = /^\.(.+)\.(partial|replaced)-(\d+)-(?:s(\d+)-)?[0-9a-f]+$/;

/** A name next to `path` that no other writer uses and that `removePartials` recognises. */
function temporaryName(path: string, what: 'partial' | 'replaced'): string {
  const whole = resolve(path);
  const random = randomBytes(4).toString('hex');
  const { pid, started } = ownIdentity();
  // The start time distinguishes this process from a later one with the same id.
  const writer = started === null ? pid : `${pid}-s${started}`;
  return join(dirname(whole), `.${basename(whole)}.${what}-${writer}-${random}`);
}

/**
 * Writes a file so that a reader, at any moment and after any crash, finds either the whole old
 * content or the whole new content: it is written to a temporary file, fsynced and renamed, and
 * then the folder is fsynced.
 *
 * @throws FileError naming `path` if the file system refuses; nothing is left behind
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  fillFileAtomic(path, (descriptor) => writeFileSync(descriptor, data), Buffer.byteLength(data));
}

/**
 * The same for content that is too large for one piece: `fill` writes to the descriptor.
 * @param bytes size of the whole file, for the error when the disk is full
 */
export function fillFileAtomic(
  path: string,
  fill: (descriptor: number) => void,
  bytes?: number,
): void {
  const aside = temporaryName(path, 'partial');
  try {
    const descriptor = openSync(aside, 'w');
    try {
      fill(descriptor);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, path);
    syncFolder(dirname(resolve(path)));
  } catch (error) {
    rmSync(aside, { force: true });
    throw fileError(error, { path, use: 'written', ...(bytes !== undefined && { bytes }) });
  }
}

/**
 * {@link fillFileAtomic} for content that is made over time.
 * @throws FileError naming `path` if the file system refuses, and any error of `fill`; nothing is
 *   left behind
 */
export async function streamFileAtomic(
  path: string,
  fill: (write: (text: string) => void) => Promise<void>,
): Promise<void> {
  const aside = temporaryName(path, 'partial');
  const named = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  };
  try {
    const descriptor = named(() => openSync(aside, 'w'));
    try {
      await fill((text) => named(() => writeFileSync(descriptor, text)));
      named(() => fsyncSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
    named(() => renameSync(aside, path));
    named(() => syncFolder(dirname(resolve(path))));
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** Makes the names in a folder survive a power cut. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Creates a folder whole or not at all. `fill` writes to a temporary folder next to it; then every
 * file in it is fsynced, and the folder is renamed. An existing folder is replaced. If the process
 * is killed between the two renames, `removePartials` restores the old folder.
 *
 * @throws FileError naming the file by its place in `path` if the file system refuses, and any
 *   error of `fill`; nothing is left behind
 */
export async function writeFolderAtomic(
  path: string,
  fill: (folder: string) => Promise<void> | void,
): Promise<void> {
  const aside = temporaryName(path, 'partial');
  const replaced = temporaryName(path, 'replaced');
  let moved = false;
  try {
    makeFolder(aside);
    await fill(aside);
    await syncTree(aside);
    moved = await renameIfThere(path, replaced);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (moved) await rename(replaced, path);
    const known = error instanceof FileError ? error : fileError(error, { use: 'written' });
    throw movedFileError(known, aside, path);
  }
  syncFolder(dirname(resolve(path)));
  await rm(replaced, { recursive: true, force: true });
}

/** Removes a folder so that no part of it is ever seen under its name. */
export async function removeFolderAtomic(path: string): Promise<void> {
  const aside = temporaryName(path, 'partial');
  if (await renameIfThere(path, aside)) await rm(aside, { recursive: true, force: true });
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** fsyncs a folder and everything below it. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Removes what killed writers left in a folder, and restores a folder that was being replaced.
 * Files of another running process are not touched.
 *
 * @returns the removed names
 */
export async function removePartials(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const removed: string[] = [];
  for (const name of names) {
    const match = leftover.exec(name);
    if (!match) continue;
    const [, target, what, pid, started = null] = match;
    const writer = { pid: Number(pid), host: hostname(), started };
    if (writer.pid !== process.pid && identityRuns(writer)) continue;
    const back = what === 'replaced' && !(await exists(join(folder, target!)));
    if (back) await rename(join(folder, name), join(folder, target!));
    else await rm(join(folder, name), { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
