import type { Attack } from './attack.ts';

/** Programs that want to be taken for right. */
export const forgeries: Attack[] = [
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
