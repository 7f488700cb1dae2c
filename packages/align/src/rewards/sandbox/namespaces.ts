import { existsSync, readFileSync } from 'node:fs';
import { type Command, type Isolation, pythonCommand, type SandboxRequest } from './isolation.ts';
import type { SandboxLimits } from './limits.ts';
import { systemPaths } from './system-paths.ts';

let enclose: string | null = null;

/** The Python code around a program, read when a sandbox first runs. */
function enclosingCode(): string {
  enclose ??= readFileSync(new URL('harness/enclose.py', import.meta.url), 'utf8');
  return enclose;
}

/**
 * The few parts of `/etc` and `/dev` that programs need. Mapping `/dev/zero` would share memory.
 */
const etcFiles = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime'];
const devices = ['/dev/null', '/dev/random', '/dev/urandom'];

/** The only writable folder. */
const scratchFolder = '/scratch';
const SCRATCH_FILES = 8192;

/** User ids without an account: systemd assigns them to services for as long as they run. */
const FIRST_USER = 61184;
const USERS = 4000;

/** Linux namespaces, which a Python process creates around itself (harness/enclose.py). */
export const namespaces: Isolation = {
  name: 'namespaces',
  scratch: scratchFolder,
  wrap({ interpreter, code, limits, slot }: SandboxRequest): Command {
    const { executable, readable } = interpreter;
    const task = {
      root: mountPoint(readable),
      shown: [...systemPaths, ...etcFiles, ...devices, ...readable].filter(existsSync),
      scratch: scratchFolder,
      scratch_bytes: limits.scratch_megabytes * 2 ** 20,
      files: SCRATCH_FILES,
      // Only root can become another user. Each run has its own: the limit on threads is per user.
      user: FIRST_USER + (slot % USERS),
      limits: resourceLimits(limits),
    };
    return pythonCommand(executable, `${enclosingCode()}\n\n${code}`, JSON.stringify(task));
  },
};

/** The kernel's limits per process: the soft and the hard one. */
function resourceLimits(limits: SandboxLimits): Record<string, [number, number]> {
  const hard = (value: number): [number, number] => [value, value];
  return {
    AS: hard(limits.memory_megabytes * 2 ** 20),
    // The soft limit's signal identifies the cause; the hard limit is for programs that ignore it.
    CPU: [limits.cpu_seconds, limits.cpu_seconds + 1],
    NPROC: hard(limits.processes),
    FSIZE: hard(limits.scratch_megabytes * 2 ** 20),
    // Each open pipe holds up to 64 KB, and each pending signal or timer a little.
    NOFILE: hard(128),
    SIGPENDING: hard(128),
    CORE: hard(0),
    MEMLOCK: hard(0),
    MSGQUEUE: hard(0),
  };
}

/** A folder to mount on in a private namespace. Its contents are hidden there. */
function mountPoint(readable: readonly string[]): string {
  const places = ['/mnt', '/media', '/srv', '/opt', '/tmp'];
  const free = places.filter((place) => !readable.some((path) => path.startsWith(`${place}/`)));
  return free.find(existsSync) ?? '/tmp';
}
