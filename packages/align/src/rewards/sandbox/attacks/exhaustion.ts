import { type Attack, ifIt, systemCalls } from './attack.ts';

/** Programs that exhaust resources. */
export const exhaustion: Attack[] = [
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
  {
    name: 'starts processes by other calls (vfork, clone, clone3, posix_spawn)',
    program:
      systemCalls({ vfork: [58, 220], clone: [56, 220], clone3: [435, 435] }) +
      ifIt(`arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)
for start in (
    lambda: call('clone', 17, 0, 0, 0, 0),
    lambda: call('clone', 0x100 | 17, 0, 0, 0, 0),
    lambda: call('clone3', ctypes.byref(arguments), 88),
    lambda: os.posix_spawn('/usr/bin/env', ['env'], {}),
):
    try: child = start()
    except OSError: continue
    if child == 0: os._exit(0)
    if child > 0: return True
return False`),
  },
  {
    name: 'runs another program',
    program: ifIt(`import subprocess
for run in (lambda: subprocess.run(['env']), lambda: os.system('env') == 0 or None, lambda: os.popen('env').read() or None):
    try:
        if run() is not None: return True
    except OSError: pass
try: os.execv('/usr/bin/env', ['env'])
except OSError: return False`),
  },
  {
    name: 'deep recursion in C',
    program: `import ctypes, sys
sys.setrecursionlimit(1 << 30)
def down(): return [*map(lambda _: down(), [0])]
down()
def double(x): return None`,
  },
  {
    name: 'a pattern that takes forever',
    program: "import re\ndef double(x): return re.match('(a+)+$', 'a' * 64 + 'b') and 2 * x",
  },
  {
    name: 'keeps every core busy with threads',
    program: `import hashlib, threading
def work():
    while True: hashlib.pbkdf2_hmac('sha256', b'x', b'y', 1000000)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
def double(x):
    while True: pass`,
  },
  {
    name: 'does not let its threads end',
    program: `import threading, time
def wait():
    while True: time.sleep(1000)
for _ in range(4): threading.Thread(target=wait).start()
def double(x): return None`,
  },
  {
    name: 'takes the limit on processor time for a signal',
    program: `import signal
signal.signal(signal.SIGXCPU, lambda *_: None)
while True: pass`,
  },
  {
    name: 'an integer of a million digits',
    program: `class Long(int): pass
import json, __main__
json.dumps = lambda message: '{"to": %s, "value": %s}' % (message.get('to', 0), '9' * 900000) if 'value' in message else dumps(message)
dumps = json.JSONEncoder().encode
def double(x): return 1`,
  },
  {
    name: 'keys that all have one hash',
    program: 'def double(x): return {number * (2 ** 61 - 1) for number in range(20000)}',
  },
  {
    name: 'a list of which each item is the same large list',
    program: `def double(x):
    values = [4]
    for _ in range(30): values = [values, values]
    return values`,
  },
];
