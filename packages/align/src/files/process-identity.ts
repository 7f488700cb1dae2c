import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Identifies a process, to check later whether it still runs, even if its id has been reused.
 */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Clock ticks from the machine's start to the process's; null if the system reports none. */
  started: string | null;
  /** Identifies the machine's current boot; null or absent if the system does not report it. */
  boot?: string | null;
}

/** Whether a process with this id runs on this machine, whoever owns it. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const ownIdentity = (): ProcessIdentity => identityOf(process.pid);

/** The identity of a process of this machine that runs now. */
export const identityOf = (pid: number): ProcessIdentity => ({
  ...{ pid, host: hostname() },
  ...{ started: startOf(pid), boot: bootId() },
});

/** Whether that process, and not another with a reused id, runs on this machine. */
export function identityRuns(identity: ProcessIdentity): boolean {
  return whyGone(identity) === null;
}

/**
 * Why that process no longer runs on this machine, in words that follow its name; null if it runs.
 */
export function whyGone({ pid, started, boot = null }: ProcessIdentity): string | null {
  const now = bootId();
  if (boot !== null && now !== null && boot !== now) return 'ended when the machine restarted';
  if (!processRuns(pid)) return 'no longer runs';
  if (started === null || startOf(pid) === started) return null;
  return 'no longer runs, and another process has its id now';
}

function startOf(pid: number): string | null {
  const stat = textOf(`/proc/${pid}/stat`);
  // The second field, the program's name, may contain spaces and brackets: count from its end.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

const bootId = (): string | null => textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? null;

/** The text of a file that the system provides; null if it does not. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
