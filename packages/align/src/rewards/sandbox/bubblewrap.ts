import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import {
  type Command,
  devices,
  etcFiles,
  type Isolation,
  processLimits,
  type SandboxRequest,
  scratchFolder,
  systemPaths,
} from './isolation.ts';

/** bubblewrap, the sandbox of Flatpak: namespaces of everything, and a file system made for this run. */
export const bubblewrap: Isolation = {
  name: 'bubblewrap',
  scratch: scratchFolder,
  wrap({ command, limits, readable }: SandboxRequest): Command {
    return [
      'bwrap',
      '--unshare-all',
      '--unshare-user',
      '--disable-userns',
      '--die-with-parent',
      '--new-session',
      ...['--cap-drop', 'ALL'],
      ...[...systemPaths, ...etcFiles, ...readable].flatMap(showReadOnly),
      ...devices.flatMap((path) => ['--dev-bind-try', path, path]),
      ...['--size', String(limits.scratch_megabytes * 2 ** 20)],
      ...['--perms', '0700', '--tmpfs', scratchFolder],
      ...['--chdir', scratchFolder],
      ...['--remount-ro', '/'],
      '--',
      ...processLimits(limits),
      ...command,
    ];
  },
};

function showReadOnly(path: string): string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
  return ['--ro-bind', path, path];
}
