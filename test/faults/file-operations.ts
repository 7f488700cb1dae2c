// Intercepts every change that this process makes to files in one folder, to count them or to die
// at one of them.
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

/** A point in a process's sequence of file changes. */
export interface KillPlace {
  /** Which change, from 0. */
  index: number;
  /** Before it, in the middle of it (if it can be done in part), or right after it. */
  when: 'before' | 'half' | 'after';
}

/**
 * Starts counting changes to files below `root`, and kills the process with SIGKILL at `place`.
 * @returns the number of changes so far
 */
export function watchFiles(root: string, place: KillPlace | null): () => number {
  const inside = resolve(root) + sep;
  const paths = new Map<number, string>();
  let count = 0;
  const die = (what: string): never => {
    fs.writeSync(2, `killed ${place!.when} change ${place!.index}: ${what}\n`);
    process.kill(process.pid, 'SIGKILL');
    throw new Error('SIGKILL did not end the process');
  };
  /** Makes a change, or dies. @param half makes a part of it */
  const change = <T>(path: unknown, name: string, whole: () => T, half?: () => void): T => {
    const named = typeof path === 'number' ? paths.get(path) : path;
    if (typeof named !== 'string' || !resolve(named).startsWith(inside)) return whole();
    const what = `${name} ${named.slice(inside.length)}`;
    const here = count++ === place?.index;
    if (here && (place.when === 'before' || (place.when === 'half' && half === undefined))) {
      die(what);
    }
    if (here && place.when === 'half') {
      half!();
      die(what);
    }
    const done = whole();
    if (here && !(done instanceof Promise)) die(what);
    if (!here || !(done instanceof Promise)) return done;
    return done.then((value) => {
      die(what);
      return value;
    }) as T;
  };
  const halfOf = (data: string | Uint8Array): Uint8Array => {
    const bytes = Buffer.from(data as Uint8Array);
    return bytes.subarray(0, bytes.length >> 1);
  };

  const sync = { ...fs };
  const open = (path: string, flags: string | number = 'r', mode?: number): number => {
    const writes = typeof flags === 'string' && /[wa+]/.test(flags);
    const doOpen = (): number => sync.openSync(path, flags, mode);
    const descriptor = writes ? change(path, `open (${flags})`, doOpen) : doOpen();
    if (writes) paths.set(descriptor, path);
    return descriptor;
  };
  Object.assign(fs, {
    openSync: open,
    closeSync(descriptor: number) {
      paths.delete(descriptor);
      sync.closeSync(descriptor);
    },
    writeSync: (descriptor: number, data: Uint8Array, ...rest: never[]) =>
      change(
        descriptor,
        'write',
        () => sync.writeSync(descriptor, data, ...rest),
        () => sync.writeSync(descriptor, halfOf(data)),
      ),
    writeFileSync: (path: string | number, data: string, ...rest: never[]) =>
      change(
        path,
        'write',
        () => sync.writeFileSync(path, data, ...rest),
        () => sync.writeFileSync(path, halfOf(data)),
      ),
    appendFileSync: (path: string, data: string, ...rest: never[]) =>
      change(
        path,
        'append',
        () => sync.appendFileSync(path, data, ...rest),
        () => sync.appendFileSync(path, halfOf(data)),
      ),
  });
  for (const name of ['renameSync', 'linkSync'] as const) {
    fs[name] = ((from: string, to: string) =>
      change(to, name, () => sync[name](from, to))) as never;
  }
  for (const name of [
    'rmSync',
    'mkdirSync',
    'fsyncSync',
    'truncateSync',
    'ftruncateSync',
  ] as const) {
    const original = sync[name] as (path: unknown, ...rest: unknown[]) => unknown;
    fs[name] = ((path: unknown, ...rest: unknown[]) =>
      change(path, name, () => original(path, ...rest))) as never;
  }
  const { rename, rm } = promises;
  Object.assign(promises, {
    rename: (from: string, to: string) => change(to, 'rename', () => rename(from, to)),
    rm: (path: string, ...rest: never[]) => change(path, 'rm', () => rm(path, ...rest)),
  });
  syncBuiltinESMExports();
  return () => count;
}
