import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, type Isolation, mountPoint, type SandboxRequest } from './isolation.ts';

/** Users that no account has: systemd takes them for services that get one for their lifetime. */
const FIRST_USER = 61184;
const USERS = 4000;

/**
 * For root: becomes a user of its own for each run, and shuts that one in. Root is above the limit on
 * processes and owns the machine's files also in a namespace of its own.
 */
export function withoutRoot(inner: Isolation): Isolation {
  return {
    name: inner.name,
    scratch: inner.scratch,
    wrap(request: SandboxRequest): Command {
      const user = FIRST_USER + (request.slot % USERS);
      const closed = request.readable.flatMap((path) => closedFolder(path) ?? []);
      const bare = inner.wrap(request);
      return [
        'unshare',
        '--mount',
        ...['sh', '-c', script, 'without-root', mountPoint(request.readable)],
        ...[...new Set(closed), '--', ...request.readable, '--'],
        ...['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'],
        ...['--bounding-set=-all', '--inh-caps=-all', '--pdeathsig', 'KILL'],
        ...bare,
      ];
    },
  };
}

/** The highest folder above a path that only its owner may enter. */
function closedFolder(path: string): string | null {
  let closed: string | null = null;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) closed = folder;
  }
  return closed;
}

/**
 * What may be read can stand in a folder that is closed to others (Python in root's home). Such a folder is
 * covered, in a namespace of this run's own, by an empty one that has only what may be read.
 * Arguments: a folder to mount on, closed folders, `--`, what may be read, `--`, the command.
 */
const script = `set -eu
kept=$1; shift
# Runs "$1" with each argument of part $2: closed or readable.
each() {
  action=$1 wanted=$2 part=closed number=0; shift 2
  for path in "$@"; do
    if [ "$path" = -- ]; then
      [ $part = readable ] && break
      part=readable
    elif [ $part = "$wanted" ]; then number=$((number + 1)); $action "$path" $number; fi
  done
}
bind() {
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
  mount --bind "$1" "$2"
}
keep() { bind "$1" "$kept/$2"; }
cover() { mount -t tmpfs -o size=1m,mode=755 closed "$1"; }
restore() { bind "$kept/$2" "$1"; }
if [ "$1" != -- ]; then
  mount -t tmpfs -o size=1m,mode=755 kept "$kept"
  each keep readable "$@"
  each cover closed "$@"
  each restore readable "$@"
  umount -R "$kept"
fi
while [ "$1" != -- ]; do shift; done
shift
while [ "$1" != -- ]; do shift; done
shift
exec "$@"`;
