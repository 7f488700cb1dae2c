import { beforeAll, describe, expect, test } from 'vitest';
import { NoIsolationError } from './find-isolation.ts';
import { limitsSchema } from './limits.ts';
import { runProgram } from './run-program.ts';
import { runTests, type TestTask } from './run-tests.ts';
import { Sandbox } from './sandbox.ts';

const limits = limitsSchema.parse({ wall_seconds: 60, cpu_seconds: 20 });
let sandbox: Sandbox | null = null;

beforeAll(async () => {
  try {
    sandbox = await Sandbox.open();
  } catch (error) {
    if (!(error instanceof NoIsolationError)) throw error;
    console.warn(error.message);
  }
});

const verdicts = async (task: TestTask): Promise<boolean[]> => {
  const { verdicts, fault } = await runTests(sandbox!, task, limits);
  expect(fault).toBeNull();
  return verdicts.map(({ passed }) => passed);
};

describe('honest programs', () => {
  test('are distinguished by assertions, test functions and unittest', async ({ skip }) => {
    if (sandbox === null) return skip('no isolation here');
    const tests = [
      'assert add(1, 2) == 3',
      'def test_text():\n    assert add("a", "b") == "ab"',
      'import unittest\nclass T(unittest.TestCase):\n    def test_list(self):\n        self.assertEqual(add([1], [2]), [1, 2])\n    def test_error(self):\n        with self.assertRaises(TypeError):\n            add(1, "a")',
    ];
    expect(await verdicts({ program: 'def add(a, b): return a + b', tests })).toEqual([
      true,
      true,
      true,
    ]);
    const wrong = 'def add(a, b):\n    return a - b if isinstance(a, int) else str(a) + str(b)';
    expect(await verdicts({ program: wrong, tests })).toEqual([false, true, false]);
  });

  test('are checked by check(candidate), and need not define the helpers of the tests', async ({
    skip,
  }) => {
    if (sandbox === null) return skip('no isolation here');
    const task = {
      tests: ['def check(candidate):\n    assert poly([1, 2], candidate([1, 2])) == 0'],
      setup: 'def poly(xs, x):\n    return sum(c * x ** i for i, c in enumerate(xs))',
      entryPoint: 'find_zero',
    };
    const honest = 'def find_zero(xs): return -xs[0] / xs[1]';
    const forged = 'def find_zero(xs): return 7\ndef poly(xs, x): return 0';
    expect(await verdicts({ ...task, program: honest })).toEqual([true]);
    expect(await verdicts({ ...task, program: forged })).toEqual([false]);
    expect(await verdicts({ ...task, program: 'x = 1' })).toEqual([false]);
  });

  test('exchange any plain value, objects, generators and functions', async ({ skip }) => {
    if (sandbox === null) return skip('no isolation here');
    const program = `
from collections import Counter, namedtuple
from fractions import Fraction
class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def __len__(self): return len(self.items)
    def __getitem__(self, place): return self.items[place]
    def __str__(self): return 'Stack' + str(self.items)
Point = namedtuple('Point', 'x y')
LIMIT = 10
def same(value): return value
def count(text): return Counter(text)
def point(): return Point(1, Fraction(1, 3))
def numbers(n):
    for i in range(n): yield i
def apply(function, values): return [function(value) for value in values]
`;
    const values = `[None, True, 1, 2**4000, 1.5, float('inf'), 'ä', b'x', (1, [2]), {1, 2}, frozenset([1]), {(1, 2): {'a': None}}, 1j, range(3)]`;
    const tests = [
      `for value in ${values}:\n    answer = same(value)\n    assert answer == value and type(answer) is type(value)`,
      "assert count('aab') == {'a': 2, 'b': 1}",
      'from fractions import Fraction\nassert point() == (1, Fraction(1, 3))',
      's = Stack()\ns.push(3)\nassert len(s) == 1 and s[0] == 3 and s.items == [3] and str(s) == "Stack[3]"',
      'assert list(numbers(3)) == [0, 1, 2]',
      'assert apply(lambda value: value + LIMIT, [1, 2]) == [11, 12]',
    ];
    expect(await verdicts({ program, tests })).toEqual(tests.map(() => true));
  });

  test('change their arguments only if allowed', async ({ skip }) => {
    if (sandbox === null) return skip('no isolation here');
    const task = {
      program: 'def sort(values): values.sort()',
      tests: ['values = [2, 1]\nsort(values)\nassert values == [1, 2]'],
    };
    expect(await verdicts(task)).toEqual([false]);
    expect(await verdicts({ ...task, inPlace: true })).toEqual([true]);
  });

  test('run as many at once as there are cores, and more wait', async ({ skip }) => {
    if (sandbox === null) return skip('no isolation here');
    const two = await Sandbox.open({ concurrency: 2 });
    const outputs = await Promise.all(
      Array.from({ length: 5 }, (_, number) =>
        runProgram(two, 'print(int(input()) ** 2)', String(number), limits),
      ),
    );
    expect(outputs.map(({ output }) => output)).toEqual(['0\n', '1\n', '4\n', '9\n', '16\n']);
  });
});

describe('invalid tests are reported', () => {
  test.each([
    ['print(add(1, 2))', 'test 0 checks nothing'],
    ['assert add(1, 2 ==', 'not valid Python'],
  ])('%s', async (code, fault) => {
    if (sandbox === null) return;
    const run = await runTests(
      sandbox,
      { program: 'def add(a, b): return 3', tests: [code] },
      limits,
    );
    expect(run.fault).toContain(fault);
  });
});

test('an abort ends what runs, and the call throws', async ({ skip }) => {
  if (sandbox === null) return skip('no isolation here');
  const controller = new AbortController();
  const run = runProgram(sandbox, 'while True: pass', '', limits, controller.signal);
  controller.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
});
