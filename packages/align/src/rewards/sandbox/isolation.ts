import { existsSync } from 'node:fs';
import type { SandboxLimits } from './limits.ts';

/** A command with its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** What is put into the sandbox, and what it may see. */
export interface SandboxRequest {
  command: Command;
  limits: SandboxLimits;
  /** Files and folders that it may read, beside the system's programs and libraries. */
  readable: readonly string[];
  /** Of one that runs beside others: its own number, so that they share no limit. */
  slot: number;
}

/** One way of shutting a program in. */
export interface Isolation {
  readonly name: string;
  /** Folder that the program runs in and may write to; null: one is made for each run and removed. */
  readonly scratch: string | null;
  /** The command that runs the request's command shut in. */
  wrap(request: SandboxRequest): Command;
}

/** Of the system, what every program needs to run; nothing of it is anybody's own. */
export const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/lib32'];

/** Of `/etc` and `/dev`, the little that programs need. */
export const etcFiles = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime'];
export const devices = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];

/** Where the only writable folder is. */
export const scratchFolder = '/scratch';

/** The limits that the kernel keeps for each process, as util-linux's prlimit takes them. */
export function processLimits(limits: SandboxLimits): string[] {
  const bytes = limits.memory_megabytes * 2 ** 20;
  return [
    'prlimit',
    `--as=${bytes}`,
    // The soft limit's signal tells what it was; the hard one is for programs that ignore it.
    `--cpu=${limits.cpu_seconds}:${limits.cpu_seconds + 1}`,
    `--nproc=${limits.processes}`,
    `--fsize=${limits.scratch_megabytes * 2 ** 20}`,
    '--nofile=256',
    '--core=0',
    '--memlock=0',
    '--msgqueue=0',
    '--',
  ];
}

/** A folder to mount on in a namespace of one's own. What is below it is hidden there. */
export function mountPoint(readable: readonly string[]): string {
  const places = ['/mnt', '/media', '/srv', '/opt', '/tmp'];
  const free = places.filter((place) => !readable.some((path) => path.startsWith(`${place}/`)));
  return free.find(existsSync) ?? '/tmp';
}
