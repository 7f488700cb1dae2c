/** Of the machine outside, what an attack is after. */
export interface AttackTargets {
  /** A file that the attacker's user may read. */
  file: string;
  /** The home folder, and the names in it. */
  home: string;
  homeNames: readonly string[];
  /** A server on 127.0.0.1. */
  port: number;
  /** A socket file of a server. */
  socket: string;
  /** The process that runs the sandbox. */
  pid: number;
}

export interface Attack {
  name: string;
  program: string;
}

/** The tests that every attack is run against. It passes them only by what it attacks: `double` is always wrong. */
export const attackTests: readonly string[] = [
  'assert double(21) == 42',
  'import unittest\nclass T(unittest.TestCase):\n    def test_double(self):\n        self.assertEqual(double(4), 8)',
  'values = sorted([double(2), double(1)])\nassert abs(values[0] - 2) < 0.1 and len(values) == 2',
];

/** Answers rightly exactly when `attempt` gets through; the tests then show it. */
const ifIt = (attempt: string, imports = 'os'): string => `import ${imports}
def attempt():
${indent(attempt)}
try:
    worked = attempt()
except BaseException:
    worked = False
def double(x):
    return 2 * x if worked else None
`;

const indent = (code: string): string => code.replace(/^(?=.)/gm, '    ');
const quote = JSON.stringify;

/** Programs that try to get out, to bring the machine down, or to be taken for right. */
export function attacks(targets: AttackTargets): Attack[] {
  return [...exhaustion, ...forgeries, ...intrusions(targets)];
}

const exhaustion: Attack[] = [
  { name: 'endless loop while loading', program: 'while True: pass' },
  { name: 'endless loop in a call', program: 'def double(x):\n    while True: pass' },
  {
    name: 'waits forever, deaf to signals',
    program: `import signal, threading
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
threading.Event().wait()`,
  },
  {
    name: 'fork bomb',
    program: `import os
while True:
    try: os.fork()
    except OSError: pass`,
  },
  {
    name: 'thread bomb',
    program: `import threading
def bomb():
    while True:
        try: threading.Thread(target=bomb).start()
        except RuntimeError: pass
bomb()`,
  },
  {
    name: 'allocates memory',
    program: `kept = []
while True:
    kept.append(bytearray(1 << 20))
    kept[-1][::4096] = b'x' * 256`,
  },
  {
    name: 'allocates memory in many processes',
    program: `import os
for _ in range(3): os.fork()
kept = []
while True:
    try: kept.append(b'x' * (1 << 20))
    except MemoryError: pass`,
  },
  {
    name: 'memory in files without a name (memfd)',
    program: ifIt(`for _ in range(64):
    with open(os.memfd_create('x'), 'wb') as file: file.write(bytes(1 << 24))
return True`),
  },
  {
    name: 'prints gigabytes',
    program: `import sys\nwhile True: sys.stdout.write('x' * (1 << 20))`,
  },
  { name: 'complains gigabytes', program: `import os\nwhile True: os.write(2, b'x' * (1 << 20))` },
  { name: 'answers with gigabytes', program: `def double(x): return 'x' * (1 << 28)` },
  {
    name: 'answers without end',
    program: `import os
while True:
    for number in range(3, 16):
        try: os.write(number, b'x' * (1 << 16))
        except OSError: pass`,
  },
  {
    name: 'fills the scratch folder',
    program: ifIt(`with open('filled', 'wb') as file:
    for _ in range(4096): file.write(bytes(1 << 20))
return True`),
  },
  {
    name: 'fills it with many files',
    program: ifIt(`for number in range(1 << 10):
    with open(f'{number}', 'wb') as file: file.write(bytes(1 << 16))
return True`),
  },
  {
    name: 'raises its own limits',
    program: ifIt(
      `for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU):
    resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
return True`,
      'resource',
    ),
  },
];

const forgeries: Attack[] = [
  { name: 'sys.exit(0) while loading', program: 'import sys\nsys.exit(0)' },
  { name: 'os._exit(0) in a call', program: 'import os\ndef double(x): os._exit(0)' },
  { name: 'raises SystemExit in a call', program: 'def double(x): raise SystemExit(0)' },
  {
    name: 'raises SkipTest in a call',
    program: 'import unittest\ndef double(x): raise unittest.SkipTest("skip")',
  },
  {
    name: 'an object that equals everything',
    program: `class Equal(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __sub__(self, other): return Equal(0)
    __rsub__ = __sub__
    def __abs__(self): return Equal(0)
    def __hash__(self): return 0
class Other: pass
for name in list(vars(Equal)):
    if name.startswith('__') and name not in ('__module__', '__dict__', '__weakref__', '__doc__'):
        setattr(Other, name, vars(Equal)[name])
calls = 0
def double(x):
    global calls
    calls += 1
    return Equal(0) if calls % 2 else Other()`,
  },
  {
    name: 'patches builtins, assertions and unittest',
    program: `import builtins, operator, sys, unittest
class Never(Exception): pass
for name in ('abs', 'sorted', 'print', 'sum', 'all'):
    setattr(builtins, name, lambda *_, **__: 2)
builtins.AssertionError = Never
for name in dir(unittest.TestCase):
    if name.startswith('assert'): setattr(unittest.TestCase, name, lambda *_, **__: None)
unittest.TestResult.addFailure = unittest.TestResult.addError = lambda *_: None
operator.eq = lambda *_: True
def double(x): return None`,
  },
  {
    name: 'redefines names that the tests use',
    program: `def abs(x): return 0
def len(x): return 2
def sorted(x): return [2, 4]
def check(candidate): pass
class unittest:
    class TestCase:
        def assertEqual(self, *_): pass
class values: pass
def double(x): return None`,
  },
  {
    name: 'writes a verdict to every descriptor',
    program: `import json, os
lines = ''.join('!' + json.dumps({'test': test, 'passed': True}) + '\\n' for test in range(3))
for number in range(1, 64):
    for text in (lines, lines.replace('!', '>'), lines.replace('!', '')):
        try: os.write(number, text.encode())
        except OSError: pass
def double(x): return None`,
  },
  {
    name: 'answers that are no answers',
    program: `import os
for number in range(3, 64):
    for text in (b'[' * 100000 + b'\\n', b'{"value": {"evil": 1}}\\n', b'\\xff\\xfe\\n', b'{"do": "call", "with": 0}\\n'):
        try: os.write(number, text)
        except OSError: pass
def double(x): return None`,
  },
  {
    name: 'answers asked of the tests themselves (callbacks)',
    program: `import __main__
def double(x):
    for frame_name in dir(__main__):
        value = getattr(__main__, frame_name)
        if isinstance(value, __main__.Exchange): return value.ask('call', 0)
    import gc
    for thing in gc.get_objects():
        if isinstance(thing, __main__.Exchange):
            thing.ask('call', 0)
            thing.send({'test': 0, 'passed': True}, b'!')
    return None`,
  },
  {
    name: 'looks for the tests in memory, files and processes',
    program: `import gc, glob, os, sys
found = False
for pattern in ('/proc/*/cmdline', '/proc/*/environ', '/proc/*/fd/*', '/scratch/**', '/tmp/**', '/dev/shm/**'):
    for path in glob.glob(pattern, recursive=True):
        try: found = found or b'double(21)' in open(path, 'rb').read()
        except OSError: pass
mine = 'double' + '(21)'
for thing in gc.get_objects():
    if isinstance(thing, dict):
        for value in list(thing.values()):
            if isinstance(value, str) and 'assert ' + mine in value and 'gc.get' not in value: found = True
frame = sys._getframe()
while frame is not None:
    for value in list(frame.f_locals.values()):
        if isinstance(value, list) and any('assert ' + mine in str(item) for item in value): found = True
    frame = frame.f_back
def double(x): return 2 * x if found else None`,
  },
  {
    name: 'exits well once everything is over (atexit, threads)',
    program: `import atexit, os, sys, threading
atexit.register(os._exit, 0)
threading.Thread(target=lambda: os._exit(0), daemon=True).start()
sys.settrace(lambda *_: None)
def double(x): return None`,
  },
];

const intrusions = (targets: AttackTargets): Attack[] => [
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
