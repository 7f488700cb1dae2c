import { type Attack, ifIt } from './attack.ts';

/** Programs that use up what there is. */
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
];
