import type { Attack } from './attack.ts';

/** Loops that an exception could end before they check anything. */
const loops = [
  'for got, want in zip(map(double, [1, 2, 3]), [2, 4, 6]):\n    assert got == want',
  'assert [got for got in map(double, [])] == list(map(double, [1]))',
  'def all_of(values):\n    for value in values:\n        yield double(value)\nfor got in all_of([1, 2]):\n    assert got == 2',
  'assert next(map(double, [1]), 2) == 2',
];

/** Programs that try to pass as correct. */
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
  ...[
    'StopIteration',
    'StopAsyncIteration',
    'GeneratorExit',
    'KeyboardInterrupt',
    'SystemExit',
  ].map((kind) => ({
    name: `raises ${kind} in a loop of the tests`,
    program: `def double(x): raise ${kind}`,
    tests: loops,
  })),
  {
    name: 'raises classes of its own that end loops',
    program: `import asyncio
class End(StopIteration): pass
class Quiet(BaseException): pass
kinds = [End, Quiet, asyncio.CancelledError, StopIteration]
def double(x): raise kinds[x % len(kinds)]('end')`,
    tests: loops,
  },
  {
    name: 'an exception that equals and is everything',
    program: `class Any(ValueError):
    def __eq__(self, other): return True
    def __str__(self): return Text('right')
    __hash__ = None
    @property
    def args(self): raise Any
class Text(str):
    def __eq__(self, other): return True
    def __contains__(self, other): return True
    __hash__ = None
def double(x): raise Any(Text('right'))`,
    tests: [
      'try:\n    double(2)\nexcept ValueError as error:\n    assert str(error) == "2 is even" and "even" in error.args[0]\nelse:\n    assert False',
    ],
  },
  {
    name: 'text that equals everything',
    program: `class Text(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __contains__(self, other): return True
    def startswith(self, other): return True
    def __hash__(self): return 0
def name(x): return Text('')`,
    tests: ['got = name(2)\nassert got == "two" and "w" in got and got.startswith("t")'],
  },
  {
    name: 'lists and dicts that equal everything',
    program: `class List(list):
    def __eq__(self, other): return True
    def __len__(self): return 2
    def __getitem__(self, place): return 42
    def __iter__(self): return iter([1, 3])
class Dict(dict):
    def __eq__(self, other): return True
    def __getitem__(self, key): return 42
    def items(self): return [('b', 1)]
    def get(self, *_): return 1
    def __contains__(self, key): return True
calls = 0
def double(x):
    global calls
    calls += 1
    return List() if calls % 2 else Dict()`,
    tests: [
      'got = double(1)\nassert got == [2, 4]',
      'got = double(1)\nassert "a" in got or len(got) == 2',
    ],
  },
  {
    name: 'claims to be of another class',
    program: `class Number:
    __class__ = int
    def __eq__(self, other): return True
    def __index__(self): return 4
    def __float__(self): return 4.0
    def __sub__(self, other): return 0
def double(x): return Number()`,
  },
  { name: 'not a number', program: "def double(x): return float('nan')" },
  {
    name: 'a number that is as large as wanted',
    program: "def double(x): return float('inf')",
  },
  {
    name: 'an iterator that never ends',
    program: `class Endless:
    def __iter__(self): return self
    def __next__(self): return 2
    def __len__(self): return 1
def double(x): return Endless()`,
    tests: ['assert sum(double(2)) == 4', 'assert list(double(2)) == [2]'],
  },
  {
    name: 'a result that holds itself',
    program: `def double(x):
    values = [4]
    values.append(values)
    return values`,
  },
  {
    name: 'a result of a hundred thousand levels',
    program: `def double(x):
    values = []
    for _ in range(100000): values = [values]
    return values`,
  },
  {
    name: 'catches what a function of the tests asserts',
    program: `def each(values, action):
    for _ in values:
        try: action(-1)
        except BaseException: pass`,
    tests: [
      'seen = []\ndef visit(value):\n    seen.append(value)\n    assert value > 0\neach([1, 2], visit)\nassert len(seen) == 2',
    ],
  },
  {
    name: 'gives the tests nothing to check',
    program: 'def divisors(x): return []',
    tests: ['for one in divisors(12):\n    assert 12 % one == 0'],
  },
  {
    name: 'its own math, numpy and pytest',
    program: `class math:
    isclose = staticmethod(lambda *_, **__: True)
class np:
    allclose = staticmethod(lambda *_, **__: True)
class pytest:
    approx = staticmethod(lambda value, **_: value)
import sys
for one in (math, np, pytest): sys.modules[one.__name__] = one
def double(x): return 5.0`,
    tests: [
      'assert math.isclose(double(2), 4)',
      'import numpy as np\nassert np.allclose(double(2), 4)',
      'import math\nassert math.isclose(double(2), 4)',
    ],
  },
  {
    name: 'skips the test by an exception of pytest',
    program: `class Skipped(BaseException): __module__ = '_pytest.outcomes'
Skipped.__qualname__ = 'Skipped'
def double(x): raise Skipped('skip')`,
  },
  {
    name: 'patches what its own process compares with (ctypes)',
    program: `import builtins, ctypes, gc, unittest
class Always(int):
    def __eq__(self, other): return True
for place in gc.get_referents(int.__dict__):
    if isinstance(place, dict): place['__eq__'] = lambda *_: True
ctypes.pythonapi.PyType_Modified(ctypes.py_object(int))
builtins.isinstance = lambda *_: True
builtins.type = lambda *_: int
def double(x): return Always(0)`,
  },
];
