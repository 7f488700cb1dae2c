import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identityRuns, ownIdentity, type ProcessIdentity } from './process-identity.ts';

export const LOCK_NAME = '.lock';

/**
 * Keeps a second process out of a run's folder.
 * @returns gives the lock back.
 * @throws Error naming the process that writes into the run.
 */
export const lockRun = (folder: string): (() => void) => lockFile(join(folder, LOCK_NAME), folder);

/**
 * Takes the lock that is a file. It names the process that holds it; one left by a process that no longer runs is taken over.
 * @param subject what the process writes into, for messages
 * @returns gives the lock back.
 * @throws Error naming the process that holds it.
 */
export function lockFile(path: string, subject: string): () => void {
  const aside = `${path}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const content = JSON.stringify(ownIdentity());
  writeFileSync(aside, content);
  try {
    while (!linkIfFree(aside, path)) removeStale(path, subject);
  } finally {
    rmSync(aside, { force: true });
  }
  return () => {
    if (readIfThere(path) === content) rmSync(path, { force: true });
  };
}

/** Hard links appear whole and fail where the name is taken: a lock is never seen half written. */
function linkIfFree(aside: string, path: string): boolean {
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeStale(path: string, subject: string): void {
  const content = readIfThere(path);
  if (content === null) return;
  const holder = JSON.parse(content) as ProcessIdentity;
  if (holder.host !== hostname()) {
    throw new Error(
      `${subject}: process ${holder.pid} on ${holder.host} writes into it; if it no longer runs, remove ${path}`,
    );
  }
  if (identityRuns(holder)) {
    throw new Error(`${subject}: process ${holder.pid} writes into it; wait for it or stop it`);
  }
  // Another process may have taken the stale lock over since it was read: then it is given back.
  const removed = `${path}-stale-${randomBytes(4).toString('hex')}`;
  renameSync(path, removed);
  if (readFileSync(removed, 'utf8') !== content) linkIfFree(removed, path);
  rmSync(removed, { force: true });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
