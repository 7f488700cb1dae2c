import { type Attack, ifIt, systemCalls } from './attack.ts';

/** More than any of these may obtain. */
const MUCH = '(300 << 20)';

const calls = (numbers: Record<string, readonly [number, number]>, attempt: string): string =>
  systemCalls(numbers) + ifIt(attempt);

/**
 * Programs that make the kernel hold memory that does not count as their own. Each answers
 * correctly if it obtains much, or may continue.
 */
export const kernelMemory: Attack[] = [
  {
    name: 'memory in the buffers of sockets',
    program: ifIt(
      `held, size = [], 0
while size < ${MUCH}:
    try: a, b = socket.socketpair()
    except OSError: return False
    a.setblocking(False)
    a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    held.append((a, b))
    try:
        while True: size += a.send(b'x' * 65536)
    except OSError: pass
return True`,
      'os, socket',
    ),
  },
  {
    name: "enlarges the buffers of its input's and output's sockets",
    program: ifIt(
      `for number in range(16):
    try: one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(number))
    except OSError: continue
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    return True
return False`,
      'os, socket',
    ),
  },
  {
    name: 'sockets in flight (SCM_RIGHTS)',
    program: ifIt(
      `import array
while True:
    a, b = socket.socketpair()
    for _ in range(200): a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [b.fileno()]))])
    return True`,
      'os, socket',
    ),
  },
  {
    name: 'memory in pipes',
    program: ifIt(
      `held, size = [], 0
while size < ${MUCH}:
    try: held.append(os.pipe())
    except OSError: return False
    try: fcntl.fcntl(held[-1][1], 1031, 1 << 20)
    except OSError: pass
    os.set_blocking(held[-1][1], False)
    try:
        while True: size += os.write(held[-1][1], b'x' * 65536)
    except OSError: pass
return True`,
      'fcntl, os',
    ),
  },
  {
    name: 'pages given to pipes (vmsplice, splice, tee)',
    program: calls(
      { vmsplice: [278, 75], splice: [275, 76], tee: [276, 77] },
      `a, b = os.pipe()
page = ctypes.create_string_buffer(4096)
vector = (ctypes.c_size_t * 2)(ctypes.addressof(page), 4096)
return call('vmsplice', b, ctypes.byref(vector), 1, 8) > 0 or call('splice', 0, 0, b, 0, 1, 2) >= 0 or call('tee', a, b, 1, 2) >= 0`,
    ),
  },
  {
    name: 'pages pinned by sendfile',
    program: ifIt(
      `source = os.open('/usr/bin/env', os.O_RDONLY)
_, end = os.pipe()
return os.sendfile(end, source, 0, 4096) > 0`,
    ),
  },
  {
    name: 'shared memory of which only one page stays mapped',
    program: ifIt(
      `libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
size = 0
while size < ${MUCH}:
    place = libc.mmap(None, 1 << 24, 3, 0x21, -1, 0)
    if place in (None, 2 ** 64 - 1): return False
    ctypes.memset(place, 1, 1 << 24)
    libc.munmap(place + 4096, (1 << 24) - 4096)
    size += 1 << 24
return True`,
      'ctypes',
    ),
  },
  {
    name: 'shared memory by /dev/zero',
    program: ifIt(
      `zero = os.open('/dev/zero', os.O_RDWR)
return len(mmap.mmap(zero, 1 << 20)) > 0`,
      'mmap, os',
    ),
  },
  {
    name: 'huge pages of which only a small one stays mapped',
    program: ifIt(
      `libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(41, 0, 0, 0, 0)
return libc.prctl(42, 0, 0, 0, 0) == 0`,
      'ctypes',
    ),
  },
  {
    name: 'shared memory, queues and semaphores of System V and POSIX',
    program: calls(
      { shmget: [29, 194], msgget: [68, 186], semget: [64, 190], mq_open: [240, 180] },
      `return any(call(name, 0, 1 << 20, 0o1600) >= 0 for name in ('shmget', 'msgget', 'semget')) or call('mq_open', b'q', 66, 0o600, 0) >= 0`,
    ),
  },
  {
    name: 'secret memory, and files in memory',
    program: calls(
      { memfd_secret: [447, 447], memfd_create: [319, 279] },
      `return call('memfd_secret', 0) >= 0 or call('memfd_create', b'x', 0) >= 0`,
    ),
  },
  {
    name: 'a hundred thousand empty files',
    program:
      ifIt(`for number in range(100000): os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))
return True`),
  },
  {
    name: 'a hundred thousand folders, links and names',
    program: ifIt(`os.mkdir('a')
open('file', 'w').close()
for number in range(50000):
    os.mkdir(f'a/{number}')
    os.link('file', f'link{number}')
return True`),
  },
  {
    name: 'attributes of files',
    program: ifIt(`open('file', 'w').close()
os.setxattr('file', 'user.keel', b'x' * 1024)
return True`),
  },
  {
    name: 'watches of epoll',
    program: calls({ epoll_create1: [291, 20] }, `return call('epoll_create1', 0) >= 0`),
  },
  {
    name: 'watches of files (inotify, fanotify)',
    program: calls(
      { inotify_init1: [294, 26], fanotify_init: [300, 262] },
      `return call('inotify_init1', 0) >= 0 or call('fanotify_init', 0, 0) >= 0`,
    ),
  },
  {
    name: 'locks on files',
    program: ifIt(
      `import struct
with open('file', 'w') as file:
    for number in range(0, 2000, 2): fcntl.lockf(file, fcntl.LOCK_EX, 1, number)
    # A second description of the same file sees locks of the kernel's that belong to the first.
    with open('file', 'r+') as other:
        asked = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 1, 0)
        found = struct.unpack('hhqqi4x', fcntl.fcntl(other, 36, asked))
        return found[0] != fcntl.F_UNLCK`,
      'fcntl, os',
    ),
  },
  {
    name: 'leases and notices of files',
    program: ifIt(
      `with open('file', 'w') as file:
    for command, value in ((1024, fcntl.F_WRLCK), (1026, 1)):
        try:
            fcntl.fcntl(file if command == 1024 else os.open('.', os.O_RDONLY), command, value)
            return True
        except OSError: pass
return False`,
      'fcntl, os',
    ),
  },
  {
    name: 'timers and pending signals',
    program: calls(
      { timer_create: [222, 107], rt_sigqueueinfo: [129, 138] },
      `number = ctypes.c_int()
event = (ctypes.c_int * 16)(0, 0, 0, 1)
made = sum(call('timer_create', 1, ctypes.byref(event), ctypes.byref(number)) == 0 for _ in range(4096))
return made > 1024`,
    ),
  },
  {
    name: 'files that are open: eventfd, timerfd, signalfd',
    program: calls(
      { eventfd2: [290, 19], timerfd_create: [283, 85] },
      `return sum(call('eventfd2', 0, 0) >= 0 or call('timerfd_create', 1, 0) >= 0 for _ in range(4096)) > 1024`,
    ),
  },
  {
    name: 'a table of open files for each thread',
    program: calls(
      { close_range: [436, 436], unshare: [272, 97] },
      `import threading
threads = []
def own(): threads.append(call('close_range', 1000, 1001, 2) == 0 or call('unshare', 0x400) == 0)
for _ in range(3):
    one = threading.Thread(target=own)
    one.start()
    one.join()
return any(threads)`,
    ),
  },
  {
    name: 'rings and asynchronous input (io_uring, io_setup)',
    program: calls(
      { io_uring_setup: [425, 425], io_setup: [206, 0] },
      `where = ctypes.c_ulong()
parameters = ctypes.create_string_buffer(256)
return call('io_uring_setup', 4096, parameters) >= 0 or call('io_setup', 1000, ctypes.byref(where)) >= 0`,
    ),
  },
  {
    name: 'rules of landlock, filters of seccomp, programs of bpf',
    program: calls(
      { landlock_create_ruleset: [444, 444], seccomp: [317, 277], bpf: [321, 280] },
      `rules = (ctypes.c_uint64 * 2)(1, 0)
action = ctypes.c_uint32(0x7fff0000)
return call('landlock_create_ruleset', ctypes.byref(rules), 8, 0) >= 0 or call('seccomp', 2, 0, ctypes.byref(action)) == 0 or call('bpf', 0, ctypes.byref(rules), 16) >= 0`,
    ),
  },
  {
    name: 'events, faults and policies (perf, userfaultfd, mbind)',
    program: calls(
      { perf_event_open: [298, 241], userfaultfd: [323, 282], set_mempolicy: [238, 237] },
      `attributes = (ctypes.c_uint32 * 32)(1, 128)
return call('perf_event_open', ctypes.byref(attributes), 0, -1, -1, 0) >= 0 or call('userfaultfd', 1) >= 0 or call('set_mempolicy', 0, 0, 0) == 0`,
    ),
  },
  {
    name: 'page tables of pages that lie far apart',
    program: `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
place, made = 1 << 32, 0
while place < 1 << 46:
    if libc.mmap(place, 4096, 3, 0x32, -1, 0) == place:
        ctypes.memset(place, 1, 1)
        made += 1
    place += 1 << 30
import time
time.sleep(1)
def double(x): return 2 * x if made > 60000 else None`,
  },
];
