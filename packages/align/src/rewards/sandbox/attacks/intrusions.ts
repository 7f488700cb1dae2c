import { type Attack, type AttackTargets, ifIt } from './attack.ts';

const quote = JSON.stringify;

/** Programs that reach for what is outside. */
export const intrusions = (targets: AttackTargets): Attack[] => [
  {
    name: 'reads the home folder',
    program: ifIt(
      `for name in ${quote(targets.homeNames)}:
    path = os.path.join(${quote(targets.home)}, name)
    if os.path.isfile(path): open(path, 'rb').read(1); return True
    if os.path.isdir(path) and os.listdir(path) and name not in sys.prefix.split('/'): return True
return False`,
      'os, sys',
    ),
  },
  {
    name: 'reads a file of the user',
    program: ifIt(`return len(open(${quote(targets.file)}).read()) > 0`),
  },
  {
    name: 'connects to a server on the loopback',
    program: ifIt(
      `socket.create_connection(('127.0.0.1', ${targets.port}), 2).close()
return True`,
      'socket',
    ),
  },
  {
    name: 'connects to a socket file',
    program: ifIt(
      `one = socket.socket(socket.AF_UNIX)
one.connect(${quote(targets.socket)})
return True`,
      'socket',
    ),
  },
  {
    name: 'opens other kinds of sockets (vsock, raw, netlink)',
    program: ifIt(
      `for family, kind in ((40, 1), (17, 3), (16, 3), (2, 2), (10, 1)):
    try:
        socket.socket(family, kind)
        return True
    except OSError: pass
return False`,
      'socket',
    ),
  },
  {
    name: 'writes outside the scratch folder',
    program: ifIt(`import sys
for folder in ('/', '/usr', '/usr/lib', '/etc', '/dev', '/proc', '/tmp', '/var/tmp', '/dev/shm', '/.host', sys.prefix, ${quote(targets.home)}, os.path.dirname(${quote(targets.file)})):
    try:
        open(os.path.join(folder, 'keel-attack'), 'w').close()
        return True
    except OSError: pass
return False`),
  },
  {
    name: 'links to files outside',
    program: ifIt(`os.symlink(${quote(targets.file)}, 'link')
os.symlink('/', 'root')
for path in ('link', 'root' + ${quote(targets.file)}, '/proc/1/root' + ${quote(targets.file)}, '/scratch/../.host' + ${quote(targets.file)}):
    try:
        open(path, 'a').write('attacked')
        return True
    except OSError: pass
os.link(${quote(targets.file)}, 'hard')
return True`),
  },
  {
    name: 'deletes everything that it can reach',
    program: ifIt(`import shutil
for folder in ('/scratch', ${quote(targets.home)}, '/tmp', '/usr/share/doc', '/'):
    shutil.rmtree(folder, ignore_errors=True)
return not os.path.exists('/usr')`),
  },
  {
    name: 'kills its parent, and everybody',
    program: ifIt(`import signal
worked = False
for pid in (os.getppid(), 1, ${targets.pid}):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try: os.kill(pid, number)
        except OSError: continue
try: os.kill(${targets.pid}, 0); worked = ${targets.pid} > 100
except OSError: pass
os.kill(-1, signal.SIGKILL)
return worked`),
  },
  {
    name: 'leaves processes behind',
    program: `import ctypes, os, time
ctypes.CDLL(None).prctl(1, 0)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(1000)
        os._exit(0)
def double(x): return None`,
  },
  {
    name: 'stops itself and its group',
    program: `import os, signal\nos.kill(0, signal.SIGSTOP)`,
  },
  {
    name: 'traces other processes',
    program: ifIt(
      `libc = ctypes.CDLL(None, use_errno=True)
return any(libc.ptrace(16, pid, 0, 0) == 0 for pid in (os.getppid(), 1))`,
      'ctypes, os',
    ),
  },
  {
    name: 'makes namespaces and mounts',
    program: ifIt(
      `libc = ctypes.CDLL(None, use_errno=True)
return libc.unshare(0x10000000) == 0 or libc.unshare(0x00020000) == 0 or libc.mount(b'x', b'/scratch', b'tmpfs', 0, None) == 0 or libc.chroot(b'/usr') == 0`,
      'ctypes',
    ),
  },
  {
    name: 'becomes another user',
    program:
      ifIt(`for change in (lambda: os.setuid(1), lambda: os.setgid(1), lambda: os.setgroups([1]), lambda: os.chown('.', 1, 1)):
    try:
        change()
        return True
    except OSError: pass
return False`),
  },
  {
    name: "keeps something in the kernel's keyring",
    program: ifIt(
      `return ctypes.CDLL(None).syscall(248 if os.uname().machine == 'x86_64' else 217, b'user', b'keel', b'x', 1, -4) > 0`,
      'ctypes, os',
    ),
  },
];
