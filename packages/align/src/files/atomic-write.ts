import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { access, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, fileError, makeFolder, movedFileError } from '@keel/model';
import { identityRuns, ownIdentity } from './process-identity.ts';

const leftover = /^\.(.+)\.(partial|replaced)-(\d+)-(?:s(\d+)-)?[0-9a-f]+$/;

/** A name beside `path` that no other writer uses and that `removePartials` recognises. */
function besides(path: string, what: 'partial' | 'replaced'): string {
  const whole = resolve(path);
  const random = randomBytes(4).toString('hex');
  const { pid, started } = ownIdentity();
  // The start time tells this process from a later one of the same id.
  const writer = started === null ? pid : `${pid}-s${started}`;
  return join(dirname(whole), `.${basename(whole)}.${what}-${writer}-${random}`);
}

/**
 * Writes a file so that a reader, at any moment and after any crash, finds either the old content
 * or the new one, whole: written aside, fsynced, renamed, the folder fsynced.
 *
 * @throws FileError naming `path` when the file system refuses; nothing is then left behind.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  fillFileAtomic(path, (descriptor) => writeFileSync(descriptor, data), Buffer.byteLength(data));
}

/**
 * The same for what is too large for one piece: `fill` writes to the descriptor.
 * @param bytes size of the whole file, for the error when the disk is full
 */
export function fillFileAtomic(
  path: string,
  fill: (descriptor: number) => void,
  bytes?: number,
): void {
  const aside = besides(path, 'partial');
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

/** Makes a folder's list of names survive a power cut. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes a folder that exists whole or not at all. `fill` writes into a folder beside it; then every
 * file in it is fsynced and it is renamed. A folder already there is replaced; a process killed
 * just between the two renames leaves the old one aside, and `removePartials` brings it back.
 *
 * @throws FileError naming the file by its place in `path` when the file system refuses; what
 *   `fill` throws. Nothing is then left behind.
 */
export async function writeFolderAtomic(
  path: string,
  fill: (folder: string) => Promise<void> | void,
): Promise<void> {
  const aside = besides(path, 'partial');
  const replaced = besides(path, 'replaced');
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

/** Removes a folder so that no half of it is ever seen under its name. */
export async function removeFolderAtomic(path: string): Promise<void> {
  const aside = besides(path, 'partial');
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

/** fsyncs every file and folder below `folder`, and it itself. */
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
 * Clears what killed writers left in a folder, and puts a folder back that was being replaced.
 * What belongs to another process that still runs is left alone.
 *
 * @returns the names that are gone.
 */
export async function removePartials(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const gone: string[] = [];
  for (const name of names) {
    const match = leftover.exec(name);
    if (!match) continue;
    const [, target, what, pid, started = null] = match;
    const writer = { pid: Number(pid), host: hostname(), started };
    if (writer.pid !== process.pid && identityRuns(writer)) continue;
    const back = what === 'replaced' && !(await exists(join(folder, target!)));
    if (back) await rename(join(folder, name), join(folder, target!));
    else await rm(join(folder, name), { recursive: true, force: true });
    gone.push(name);
  }
  return gone;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
