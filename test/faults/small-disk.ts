// Full or read-only disks for one process: a tmpfs in a separate mount namespace.
import { spawnSync } from 'node:child_process';

export type Disk =
  /** Capacity in KiB. */
  | { sizeKiB: number }
  /** A folder to mount read-only. */
  | { readOnly: string };

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

const namespace = ['unshare', '--user', '--mount', '--map-root-user'];

/** Why such disks are not available here; null if they are. */
export function noSmallDisks(): string | null {
  if (process.platform !== 'linux') return 'mount namespaces need Linux';
  const [command, ...args] = [...namespace, 'mount', '-t', 'tmpfs', 'keel', '/mnt'];
  const { status, stderr, error } = spawnSync(command!, args, { encoding: 'utf8' });
  return status === 0 ? null : `no mount namespace: ${error?.message ?? stderr.trim()}`;
}

/**
 * Runs a shell command with a disk mounted over a folder. Files on it are lost afterwards, so the
 * command has to print what matters.
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
