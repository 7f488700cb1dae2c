import { type Attack, type AttackTargets, ifIt, systemCalls } from './attack.ts';

const quote = JSON.stringify;

/** Programs that reach outside the sandbox. */
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
  {
    name: "reads Keel's environment",
    program:
      ifIt(`known = {'KEEL_SANDBOX', 'PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_CTYPE', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'}
return bool(set(os.environ) - known)`),
  },
  {
    name: 'asks its input who is at the other end, and for network interfaces',
    program: ifIt(
      `import fcntl, struct
for number in range(16):
    try: one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(number))
    except OSError: pass
    else: return struct.unpack('3i', one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0] > 0
    try: fcntl.ioctl(number, 0x8912, struct.pack('iL', 0, 0)); return True
    except OSError: pass
return False`,
      'os, socket',
    ),
  },
  {
    name: 'climbs out of the root folder',
    program: ifIt(
      `root = os.open('/', os.O_RDONLY)
for path in ('/..', '/../..', '/scratch/../..', '/.', '/proc/1/root', '/.host'):
    if os.path.lexists(path + ${quote(targets.file)}): return True
    try:
        if os.path.lexists(os.path.join(path, ${quote(targets.home)}.lstrip('/'), ${quote(targets.homeNames[0] ?? 'none')})): return ${quote(targets.homeNames[0] ?? 'none')} not in sys.prefix.split('/')
    except OSError: pass
return 'etc' in os.listdir('..') and os.path.exists('/etc/passwd')`,
      'os, sys',
    ),
  },
  {
    name: "reads the system's accounts, kernel and processes",
    program:
      ifIt(`for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname', '/proc/cpuinfo', '/proc/self/maps', '/sys/kernel', '/run', '/var', '/boot', '/dev/shm', '/dev/mem', '/dev/kmsg', '/dev/tty'):
    if os.path.exists(path): return True
return False`),
  },
  {
    name: 'makes devices, and programs with rights',
    program: ifIt(`import stat
try:
    os.mknod('disk', stat.S_IFBLK | 0o600, os.makedev(8, 0))
    return True
except OSError: pass
os.mknod('null', stat.S_IFCHR | 0o600, os.makedev(1, 3))
return True`),
  },
  {
    name: 'opens files by handle',
    program:
      systemCalls({ open_by_handle_at: [304, 265], name_to_handle_at: [303, 264] }) +
      ifIt(`handle = (ctypes.c_uint32 * 34)(128)
where = ctypes.c_int()
return call('name_to_handle_at', -100, b'/usr', handle, ctypes.byref(where), 0) == 0 or call('open_by_handle_at', 3, handle, 0) >= 0`),
  },
  {
    name: 'sets the clock, the name, the priority',
    program: ifIt(
      `for change in (lambda: time.clock_settime(time.CLOCK_REALTIME, 0), lambda: socket.sethostname('keel'), lambda: os.nice(-5), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))):
    try:
        change()
        return True
    except OSError: pass
return False`,
      'os, socket, time',
    ),
  },
  {
    name: 'signals every process there is',
    program: ifIt(`found = []
for pid in range(1, 33000):
    try: os.kill(pid, 0)
    except ProcessLookupError: continue
    except OSError: pass
    found.append(pid)
return len(set(found) - {1, os.getpid()}) > 0`),
  },
  {
    name: 'system calls of 32 bits, which have other numbers',
    program: `import ctypes, mmap, os
worked = False
if os.uname().machine == 'x86_64':
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    worked = ctypes.CFUNCTYPE(ctypes.c_int)(place)() > 0
def double(x): return 2 * x if worked else None`,
  },
  {
    name: 'system calls of the x32 numbers, and new ones',
    program:
      systemCalls({ new: [470, 470], x32: [0x40000000 + 39, 470] }) +
      ifIt(`return call('new', 0) >= 0 or call('x32', 0) > 0`),
  },
  {
    name: 'takes rights back',
    program: ifIt(
      `libc = ctypes.CDLL(None, use_errno=True)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xffffffff] * 6)
return libc.capset(header, data) == 0 or libc.prctl(38, 0, 0, 0, 0) == 0 or libc.prctl(28, 0, 0, 0, 0) == 0 or libc.prctl(47, 2, 21, 0, 0) == 0`,
      'ctypes',
    ),
  },
];
