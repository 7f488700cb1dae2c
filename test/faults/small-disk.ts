// Disks that are full or read-only, for one process: a tmpfs in a mount namespace of its own.
import { spawnSync } from 'node:child_process';

export type Disk =
  /** At most so many KiB. */
  | { sizeKiB: number }
  /** Its content can only be read. */
  | { readOnly: string };

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

const namespace = ['unshare', '--user', '--mount', '--map-root-user'];

/** Why there are no such disks here; null: there are. */
export function noSmallDisks(): string | null {
  if (process.platform !== 'linux') return 'mount namespaces need Linux';
  const [command, ...args] = [...namespace, 'mount', '-t', 'tmpfs', 'keel', '/mnt'];
  const { status, stderr, error } = spawnSync(command!, args, { encoding: 'utf8' });
  return status === 0 ? null : `no mount namespace: ${error?.message ?? stderr.trim()}`;
}

/**
 * Runs a shell command with a disk in place of a folder. What it writes there is gone afterwards:
 * what matters of it has to be printed.
 */
export function onDisk(folder: string, disk: Disk, script: string, env: NodeJS.ProcessEnv): Result {
  const mount =
    'sizeKiB' in disk
      ? `mount -t tmpfs -o size=${disk.sizeKiB}k keel "$DISK"`
      : 'mount --bind "$SOURCE" "$DISK" && mount -o remount,bind,ro "$DISK"';
  const [command, ...args] = [...namespace, 'sh', '-c', `${mount} || exit 99\n${script}`];
  const { status, stdout, stderr } = spawnSync(command!, args, {
    encoding: 'utf8',
    env: { ...env, DISK: folder, ...('readOnly' in disk && { SOURCE: disk.readOnly }) },
  });
  return { code: status, stdout, stderr };
}
