import { beforeAll, expect, test } from 'vitest';
import { limitsSchema } from './limits.ts';
import { runTests, type TestTask } from './run-tests.ts';
import { Sandbox } from './sandbox.ts';

// These programs are harmless: only the tests' process decides what is tested here.
const limits = limitsSchema.parse({ wall_seconds: 60, cpu_seconds: 20 });
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.open({ isolation: 'none', concurrency: 2 });
});

const right = 'def double(x): return 2 * x';
const wrong = 'def double(x): return None';

/** The result of each test with its own program: its fault, or whether it passed. */
const results = (cases: readonly [program: string, test: string, rest?: Partial<TestTask>][]) =>
  Promise.all(
    cases.map(async ([program, code, rest]) => {
      const run = await runTests(sandbox, { program, tests: [code], ...rest }, limits);
      return [code, run.fault ?? run.verdicts[0]!.passed];
    }),
  );

const unittest = (body: string): string =>
  `import unittest\nclass T(unittest.TestCase):\n${body.replace(/^(?=.)/gm, '    ')}`;

const nothing: readonly [test: string, reason: string][] = [
  ['def check(candidate):\n    assert candidate(2) == 4', 'check(candidate) is not called'],
  ['def helper():\n    assert double(2) == 4', 'it evaluates no assertion'],
  ['async def test_it():\n    assert double(2) == 4', 'test_it is async'],
  ['def test_it():\n    assert double(2) == 4\n    yield', 'test_it is a generator'],
  ["if __name__ == '__main__':\n    assert double(2) == 4", 'no assertion'],
  ['assert (double(2) == 4, "wrong")', 'no assertion'],
  [unittest('@unittest.skip("x")\ndef test_a(self): self.assertEqual(double(2), 4)'), 'skipped'],
  [
    unittest('def test_a(self):\n    self.skipTest("x")\n    self.assertEqual(double(2), 4)'),
    'test_a is skipped',
  ],
  [
    unittest('@unittest.expectedFailure\ndef test_a(self): self.assertEqual(double(2), 4)'),
    'test_a is expected to fail',
  ],
  [unittest('pass'), 'T has no test'],
  [unittest('async def test_a(self): self.assertEqual(double(2), 4)'), 'test_a is async'],
  [unittest('def test_a(self): self.assertEqual(double(2) and 4, 4 and 4) if 0 else None'), 'no'],
  ['try:\n    assert double(2) == 4\nexcept AssertionError:\n    pass', 'no assertion'],
  ['def test_a():\n    try:\n        assert double(2) == 4\n    finally:\n        return', 'no'],
  [
    'import contextlib\nwith contextlib.suppress(Exception):\n    assert double(2) == 4',
    'no assertion',
  ],
  ['assert True', 'no assertion'],
  ['double(2)\nassert 2 + 2 == 4', 'no assertion'],
  ['print(double(2) == 4)', 'no assertion'],
  ['def test_a(folder):\n    assert double(2) == 4', 'test_a takes arguments'],
  ['for x in []:\n    assert double(x) == 4', 'no assertion'],
  [
    'class pytestmarked:\n    name, args, kwargs = "skip", (), {}\ndef test_a():\n    assert double(2) == 4\ntest_a.pytestmark = [pytestmarked]',
    'test_a is skipped',
  ],
];

test.each([
  right,
  wrong,
  'no Python',
])('tests that check nothing are a fault, whatever the program: %s', async (program) => {
  const found = await results(nothing.map(([code]) => [program, code]));
  for (const [index, [code, result]] of found.entries()) {
    expect(result, String(code)).toContain('test 0 checks nothing: ');
    expect(result, String(code)).toContain(nothing[index]![1]);
  }
});

test('tests that cannot run are a fault', async () => {
  const cases = ['import no_such_module\nassert double(2) == 4', 'assert double(2 =='];
  expect((await results(cases.map((code) => [right, code]))).map(([, result]) => result)).toEqual([
    'test 0 needs the Python module no_such_module, which is not installed',
    expect.stringMatching(/tests .*Python/),
  ]);
});

const checking = [
  'def check(candidate):\n    assert candidate(2) == 4\ncheck(double)',
  'x = double(2)\ny = [x]\nassert y == [4]',
  'def same(a, b):\n    assert a == b\nsame(double(2), 4)',
  'if double(2) != 4:\n    raise ValueError("wrong")',
  'import sys\nif double(2) != 4: sys.exit(1)',
  'try:\n    assert double(2) == 5\nexcept AssertionError:\n    assert double(2) == 4',
  'got = []\nfor x in range(3):\n    got.append(double(x))\nassert got == [0, 2, 4]',
  unittest(
    'def setUp(self): self.x = double(2)\n@unittest.skip("x")\ndef test_b(self): pass\ndef test_a(self): self.assertEqual(self.x, 4)',
  ),
  unittest(
    'def test_a(self):\n    for x in (1, 2):\n        with self.subTest(x=x): self.assertEqual(double(x), 2 * x)',
  ),
  'class TestIt:\n    def setup_method(self): self.x = 2\n    def test_a(self): assert double(self.x) == 4',
  'from __future__ import annotations\nassert all(double(x) == 2 * x for x in range(3))',
];

test('tests that check something distinguish correct programs from wrong ones', async () => {
  const all = await results(
    checking.flatMap((code) => [[right, code] as const, [wrong, code]]).map(([a, b]) => [a, b]),
  );
  expect(all).toEqual(
    checking.flatMap((code) => [
      [code, true],
      [code, false],
    ]),
  );
  const check = 'def check(candidate):\n    assert candidate(2) == 4';
  const entry = { entryPoint: 'double' };
  expect(
    (
      await results([
        [right, check, entry],
        [wrong, check, entry],
      ])
    ).map(([, is]) => is),
  ).toEqual([true, false]);
});

test('an answer that leaves its tests nothing to check fails, but the row is not at fault', async () => {
  const code = 'for one in divisors(12):\n    assert 12 % one == 0';
  const found = await results([
    ['def divisors(x): return []', code],
    ['def divisors(x): return [1, 5]', code],
    ['def divisors(x): return [1, 2]', code],
  ]);
  expect(found.map(([, is]) => is)).toEqual([false, false, true]);
});

const controls = [
  'StopIteration',
  'StopAsyncIteration',
  'GeneratorExit',
  'SystemExit',
  'KeyboardInterrupt',
];

test('exceptions that control the interpreter do not control the tests, and can be expected', async () => {
  const raising = (kind: string): string => `def f(x): raise ${kind}("why")`;
  const expected = (kind: string): string[] => [
    unittest(`def test_a(self):\n    with self.assertRaises(${kind}): f(1)`),
    unittest(`def test_a(self): self.assertRaises((${kind}, ValueError), f, 1)`),
    `try:\n    f(1)\nexcept ${kind} as error:\n    assert "why" in str(error)\nelse:\n    assert False`,
  ];
  const loops = [
    'for got, want in zip(map(f, [1, 2]), [1, 2]):\n    assert got == want',
    'def each():\n    for x in [1]: yield f(x)\nfor x in each():\n    assert x == 1',
    'assert next(map(f, [1]), 2) == 2',
  ];
  const cases = controls.flatMap((kind) => [
    ...expected(kind).map((code) => [raising(kind), code, true] as const),
    ...loops.map((code) => [raising(kind), code, false] as const),
  ]);
  const found = await results(cases.map(([program, code]) => [program, code]));
  expect(found).toEqual(cases.map(([, code, passes]) => [code, passes]));
});

test('exceptions of the program are of their own class and of the nearest Python class', async () => {
  const program = 'class Negative(ValueError): pass\ndef f(x): raise Negative("negative")';
  const found = await results([
    [
      program,
      unittest('def test_a(self):\n    with self.assertRaisesRegex(ValueError, "neg"): f(1)'),
    ],
    [program, unittest('def test_a(self):\n    with self.assertRaises(KeyError): f(1)')],
    [
      program,
      'try:\n    f(1)\n    assert False\nexcept Negative as error:\n    assert str(error) == "negative"',
    ],
    [
      `${program}\nclass Other(Exception): pass`,
      unittest('def test_a(self):\n    with self.assertRaises(Other): f(1)'),
    ],
  ]);
  expect(found.map(([, is]) => is)).toEqual([true, false, true, false]);
});

test('iterators, functions of the tests, and arguments that may change', async () => {
  const sort = 'values = [2, 1]\nsort(values)\nassert values == [1, 2]';
  const found = await results([
    [
      'def count():\n    yield 1\n    yield 2',
      'x = count()\nassert next(x) == 1 and list(x) == [2]',
    ],
    [
      'def each(f, xs):\n    for x in xs: f(x)',
      'seen = []\neach(seen.append, [1])\nassert seen == [1]',
    ],
    ['def sort(xs): xs.sort()', sort, { inPlace: true }],
    ['def sort(xs): xs.sort()', sort],
    ['class One: pass\none = One()\ndef get(): return one', 'assert get() is get()'],
  ]);
  expect(found.map(([, is]) => is)).toEqual([true, true, true, false, true]);
});
