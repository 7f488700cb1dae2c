import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileError } from '@keel/model';
import {
  ownIdentity,
  type ProcessIdentity,
  processRuns,
  whyGone,
} from '../files/process-identity.ts';

export const LOCK_NAME = '.lock';

type Notice = (text: string) => void;

/**
 * Keeps other processes out of a run folder.
 * @returns a function that releases the lock
 * @throws Error naming the process that writes to the run
 */
export const lockRun = (folder: string, notice?: Notice): (() => void) =>
  lockFile(join(folder, LOCK_NAME), folder, notice);

/**
 * Takes a lock file. It names the process that holds it; the lock of a process that no longer runs
 * is taken over.
 * @param subject what the process writes to, for messages
 * @param notice receives a message if a lock was taken over
 * @returns a function that releases the lock
 * @throws Error naming the process that holds it
 * @throws FileError if the file system refuses
 */
export function lockFile(path: string, subject: string, notice: Notice = () => {}): () => void {
  const aside = ownName(path);
  const content = JSON.stringify(ownIdentity());
  try {
    writeFileSync(aside, content);
    while (!linkIfFree(aside, path, content)) removeStale(path, subject, notice);
  } catch (error) {
    throw fileError(error, { path, use: 'written' });
  } finally {
    rmSync(aside, { force: true });
  }
  removeLeftovers(path);
  return () => {
    if (readIfThere(path) === content) rmSync(path, { force: true });
  };
}

/** @throws Error as {@link lockRun} does, without taking the lock */
export const refuseLocked = (folder: string): void =>
  refuseLockedFile(join(folder, LOCK_NAME), folder);

/** @throws Error as {@link lockFile} does, without taking the lock */
export function refuseLockedFile(path: string, subject: string): void {
  const content = readIfThere(path);
  if (content !== null) whyStale(content, path, subject);
}

/** Who holds a lock. */
export interface LockHolder extends ProcessIdentity {
  /** `unknown`: it is on another machine. */
  state: 'runs' | 'gone' | 'unknown';
}

/**
 * Who holds a run folder's lock.
 * @returns null if it is free, or its file names no process
 * @throws FileError if the file system refuses
 */
export function lockHolder(folder: string): LockHolder | null {
  const content = readIfThere(join(folder, LOCK_NAME));
  const holder = content === null ? null : identityIn(content);
  if (holder === null) return null;
  if (holder.host !== hostname()) return { ...holder, state: 'unknown' };
  return { ...holder, state: whyGone(holder) === null ? 'runs' : 'gone' };
}

const ownName = (path: string): string =>
  `${path}-${process.pid}-${randomBytes(4).toString('hex')}`;

/** File systems without hard links. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Hard links appear whole and fail if the name is taken: a lock is never seen half written. */
function linkIfFree(aside: string, path: string, content: string): boolean {
  try {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (!noLinks.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      writeFileSync(path, content, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeStale(path: string, subject: string, notice: Notice): void {
  const content = readIfThere(path);
  if (content === null) return;
  const why = whyStale(content, path, subject);
  // Another process may have taken over the stale lock since it was read: then it is restored.
  const removed = ownName(path);
  renameSync(path, removed);
  if (readFileSync(removed, 'utf8') !== content) linkIfFree(removed, path, content);
  else notice(`${path}: removed a stale lock: ${why}`);
  rmSync(removed, { force: true });
}

/** @throws Error if the holder runs, may run on another machine, or is not named */
function whyStale(content: string, path: string, subject: string): string {
  // Locks appear whole, so only a power cut can leave one without content.
  if (/^\0*$/.test(content)) return 'it is empty, probably after a power cut';
  const holder = identityIn(content);
  if (holder === null) {
    throw new Error(
      `${path}: this lock is damaged and names no process. If no process writes to ${subject}, remove ${path}`,
    );
  }
  if (holder.host !== hostname()) {
    throw new Error(
      `${subject}: process ${holder.pid} on ${holder.host} writes to it. If it no longer runs, remove ${path}`,
    );
  }
  const reason = whyGone(holder);
  if (reason !== null) return `its process ${holder.pid} ${reason}`;
  throw new Error(`${subject}: process ${holder.pid} writes to it. Wait for it, or stop it`);
}

function identityIn(content: string): ProcessIdentity | null {
  try {
    const found = JSON.parse(content) as Partial<ProcessIdentity> | null;
    const isOne = Number.isInteger(found?.pid) && typeof found?.host === 'string';
    return isOne ? { started: null, ...(found as { pid: number; host: string }) } : null;
  } catch {
    return null;
  }
}

/**
 * Removes files of processes that were killed while they took this lock. Only the holder of the
 * lock calls this.
 */
function removeLeftovers(path: string): void {
  const name = basename(path);
  const others = readdirSync(dirname(path)).filter((one) => one.startsWith(`${name}-`));
  for (const other of others) {
    const pid = Number(/^-(\d+)-[0-9a-f]{8}$/.exec(other.slice(name.length))?.[1]);
    if (pid > 0 && !processRuns(pid)) rmSync(join(dirname(path), other), { force: true });
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fileError(error, { path, use: 'read' });
  }
}
