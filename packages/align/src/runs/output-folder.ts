import { accessSync, constants, existsSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileError } from '@keel/model';

/** File systems that only show system state on Linux, by their statfs(2) number. */
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

/** @throws Error if a path for results is not a folder, or is where no files can be stored */
export function refuseSystemFolder(path: string): void {
  const entry = entryAt(path);
  if (entry !== undefined && !entry.isDirectory()) {
    const kind = entry.isFile() ? 'a file' : 'a device, a pipe or a socket';
    throw new Error(`${path}: is ${kind}, but results need a folder. Pass another --output`);
  }
  if (process.platform !== 'linux') return;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const type = typeOf(folder);
    if (type === null && folder !== dirname(folder)) continue;
    const kind = systemFolders[type ?? 0];
    if (kind === undefined) return;
    throw new Error(
      `${path}: is on a ${kind} file system, which shows system state and cannot store files. Pass another --output`,
    );
  }
}

/**
 * Checks that a folder can be created or written to, without doing so.
 * @throws FileError naming the folder that refuses
 */
export function refuseUnwritable(path: string): void {
  let folder = resolve(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    // For a file, this error names the file as the reason; `access` would only report a missing
    // permission.
    statSync(`${folder}/.`);
  } catch (error) {
    throw fileError(error, { path, use: 'written' });
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError(error, { path: folder, use: 'written' });
  }
}

/** @throws FileError if this process has no permission to look */
function entryAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, { path });
  }
}

/** null if there is no such path, or the system does not report it. */
function typeOf(folder: string): number | null {
  try {
    return statfsSync(folder).type;
  } catch {
    return null;
  }
}
