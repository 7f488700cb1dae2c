import { type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileError } from '@keel/model';

/** File systems that only show the state of Linux, by the number that statfs(2) gives them. */
const systemFolders: Readonly<Record<number, string>> = {
  40864: 'proc',
  1650812274: 'sysfs',
  2613483: 'cgroup',
  1667723888: 'cgroup2',
  1684170528: 'debugfs',
  1953653091: 'tracefs',
  1935894131: 'securityfs',
  7377: 'devpts',
};

/** @throws Error where a path for results is no folder, or lies where no files can be kept */
export function refuseSystemFolder(path: string): void {
  const entry = entryAt(path);
  if (entry !== undefined && !entry.isDirectory()) {
    const kind = entry.isFile() ? 'a file' : 'a device, a pipe or a socket';
    throw new Error(`${path}: is ${kind}, and results need a folder. Pass another --output`);
  }
  if (process.platform !== 'linux') return;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const type = typeOf(folder);
    if (type === null && folder !== dirname(folder)) continue;
    const kind = systemFolders[type ?? 0];
    if (kind === undefined) return;
    throw new Error(
      `${path}: is on a ${kind} file system, which only shows the state of the system and keeps no files. Pass another --output`,
    );
  }
}

/** @throws FileError where the system does not let this process look */
function entryAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, { path });
  }
}

/** null where there is no such path, or the system does not say. */
function typeOf(folder: string): number | null {
  try {
    return statfsSync(folder).type;
  } catch {
    return null;
  }
}
