// Stops a run as Ctrl-C does: it finishes its step, saves a checkpoint and ends.
import { join } from 'node:path';
import { writeFileAtomic } from '@keel/align/internal';
import type { LockHolder } from '@keel/align/runs';
import type { RunFiles } from '../describing/run-files.ts';
import type { FoundRun } from '../folders/find-runs.ts';
import { WatchError } from '../folders/watch-error.ts';

/** Names the process that was asked to stop: a second signal would end it without a checkpoint. */
const ASKED = '.stop-asked';

/**
 * Sends the signal to the process that holds the run's lock.
 * @throws WatchError if none does, it is on another machine, or it was asked before
 */
export function stopRun(run: FoundRun, files: RunFiles): { pid: number } {
  const holder = files.holder(run);
  if (holder === null || holder.state === 'gone') {
    throw new WatchError('refused', `${run.id}: no process writes to this run, so it is stopped`);
  }
  const { pid, host, state } = holder;
  if (state === 'unknown') {
    throw new WatchError(
      'refused',
      `${run.id}: process ${pid} on ${host} writes to this run. Stop it on that machine, for example with kill -INT ${pid}`,
    );
  }
  if (pid === process.pid) {
    throw new WatchError('refused', `${run.id}: the program that shows this page trains it`);
  }
  if (wasAsked(run, holder, files)) {
    throw new WatchError(
      'refused',
      `${run.id}: process ${pid} was asked to stop before. It finishes its step and saves a checkpoint`,
    );
  }
  writeFileAtomic(join(run.path, ASKED), `${JSON.stringify(idOf(holder))}\n`);
  try {
    process.kill(pid, 'SIGINT');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EPERM' ? 'belongs to another user' : 'has just ended';
    throw new WatchError('refused', `${run.id}: process ${pid} ${why}`);
  }
  return { pid };
}

/** Whether the process that writes a run was asked to stop, and has not ended yet. */
export function isStopping(run: FoundRun, files: RunFiles): boolean {
  const holder = files.holder(run);
  return holder?.state === 'runs' && wasAsked(run, holder, files);
}

function wasAsked({ path }: FoundRun, holder: LockHolder, files: RunFiles): boolean {
  const asked = files.json(path, ASKED);
  const { pid, started, boot } = idOf(holder);
  return asked?.pid === pid && asked.started === started && asked.boot === boot;
}

const idOf = ({ pid, started, boot = null }: LockHolder) => ({ pid, started, boot });
