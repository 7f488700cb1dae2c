import { existsSync } from 'node:fs';
import {
  type Command,
  devices,
  etcFiles,
  type Isolation,
  mountPoint,
  processLimits,
  type SandboxRequest,
  scratchFolder,
  systemPaths,
} from './isolation.ts';

/**
 * Linux namespaces by util-linux: `unshare`, `mount`, `pivot_root`, `setpriv`, `prlimit`.
 *
 * The script below runs as process 1 of the new namespaces and stays there, so that its end ends every
 * process in them. The program inside is its child, without capabilities: it can neither kill nor trace it.
 */
export const namespaces: Isolation = {
  name: 'namespaces',
  scratch: scratchFolder,
  wrap({ command, limits, readable }: SandboxRequest): Command {
    const shown = [...systemPaths, ...etcFiles, ...devices, ...readable].filter(existsSync);
    return [
      'setpriv',
      ...['--pdeathsig', 'KILL'],
      ...['unshare', '--user', '--map-root-user', '--mount', '--pid', '--net', '--ipc', '--uts'],
      ...['--cgroup', '--fork', '--kill-child'],
      ...['sh', '-c', script, 'sandbox', mountPoint(readable)],
      String(limits.scratch_megabytes * 2 ** 20),
      ...shown,
      '--',
      ...['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'],
      ...['--securebits', '+noroot,+noroot_locked'],
      // Signals to its process group would reach the processes outside that belong to it.
      'setsid',
      ...processLimits(limits),
      ...command,
    ];
  },
};

/** Arguments: folder to mount on, bytes of scratch, what may be read, `--`, the command. */
const script = `set -eu
root=$1 scratch=$2; shift 2
# No further namespaces: they would be a way to memory and mounts beyond the limits.
echo 0 > /proc/sys/user/max_user_namespaces
mount -t tmpfs -o size=1m,mode=755,nosuid,nodev sandbox "$root"
while [ "$1" != -- ]; do
  if [ -L "$1" ]; then mkdir -p "$root$(dirname "$1")"; ln -s "$(readlink "$1")" "$root$1"
  else
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root$(dirname "$1")"; : > "$root$1"; fi
    mount --bind "$1" "$root$1"
    case $1 in /dev/*) ;; *) mount -o remount,bind,ro,nosuid,nodev "$root$1";; esac
  fi
  shift
done
shift
mkdir "$root${scratchFolder}" "$root/.host"
# umount looks for its mounts in /proc, which is only in the old root.
ln -s .host/proc "$root/proc"
mount -t tmpfs -o "size=$scratch,nr_inodes=8192,mode=700,nosuid,nodev" scratch "$root${scratchFolder}"
mount -o remount,bind,ro,nosuid,nodev "$root"
cd "$root"
pivot_root . .host
cd /
umount -l /.host
cd ${scratchFolder}
set +e
"$@"
exit $?`;
