// Allows one setup at a time, with a lock file that names the process holding it.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { onInterruption } from './steps.mjs';

/**
 * Runs `work` while holding the lock file. Waits for a running holder (`waiting` is called once
 * with its process id); takes over the lock of a dead one.
 *
 * @template T
 * @param {string} path
 * @param {(pid: number) => void} waiting
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, waiting, work) {
  mkdirSync(dirname(path), { recursive: true });
  const own = JSON.stringify({ pid: process.pid, started: startTime(process.pid) });
  let announced = false;
  while (!tryLock(path, own)) {
    const held = read(path);
    if (held === null) continue;
    const holder = parse(held);
    if (holder === null || !isAlive(holder)) {
      takeAway(path, held);
      continue;
    }
    if (!announced) waiting(holder.pid);
    announced = true;
    await wait(250);
  }
  const release = () => {
    if (read(path) === own) rmSync(path, { force: true });
  };
  const forget = onInterruption(release);
  try {
    return await work();
  } finally {
    forget();
    release();
  }
}

/** A link appears with its complete content, so that no process reads a partial lock. */
function tryLock(path, own) {
  const aside = `${path}.${randomUUID()}`;
  writeFileSync(aside, own);
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(aside);
  }
}

/**
 * Two processes may find the same dead lock: the one that then moves a fresh lock by mistake puts
 * it back.
 */
function takeAway(path, dead) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== dead) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text) {
  try {
    const holder = JSON.parse(text);
    return Number.isInteger(holder?.pid) && holder.pid > 0 ? holder : null;
  } catch {
    return null;
  }
}

/** Process ids are reused, so the start time must match too, if the system reports it. */
function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    if (error.code !== 'EPERM') throw error;
  }
  const now = startTime(pid);
  return now === null || started === null || now === started;
}

/** Start time of a process in clock ticks since boot; null without /proc. */
function startTime(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The program's name, in parentheses, may contain spaces; the start time is field 22.
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
