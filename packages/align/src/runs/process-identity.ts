import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Enough of a process to tell later whether it still runs, also after its id was given to another. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Clock ticks from the machine's start to the process's; null where the system does not tell. */
  started: string | null;
}

/** Whether a process of this id runs on this machine, whoever owns it. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), started: startOf(process.pid) };
}

/** Whether that process, and no other that was given its id since, runs on this machine. */
export function identityRuns({ pid, started }: ProcessIdentity): boolean {
  return processRuns(pid) && (started === null || startOf(pid) === started);
}

function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field, the program's name, may hold spaces and brackets: fields count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
