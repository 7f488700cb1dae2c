import { readFileSync } from 'node:fs';

/** The running processes that a process started; none if the system does not report them. */
export function childProcesses(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

/**
 * Resident private memory of a process and all its descendants, with page tables, in bytes.
 */
export function treeMemory(pid: number): number {
  let sum = ownMemory(pid);
  for (const child of childProcesses(pid)) sum += treeMemory(child);
  return sum;
}

function ownMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = [...status.matchAll(/^(?:RssAnon|RssShmem|VmPTE):\s*(\d+) kB$/gm)];
    return kilobytes.reduce((sum, [, count]) => sum + Number(count) * 1024, 0);
  } catch {
    return 0;
  }
}
