import { beforeAll, expect, test } from 'vitest';
import { codeReward } from './code-reward.ts';
import { answers } from './fixtures/answers.ts';
import { NoIsolationError } from './sandbox/find-isolation.ts';

let isolation: 'auto' | 'none' = 'auto';

beforeAll(async () => {
  try {
    await codeReward({ type: 'code' });
  } catch (error) {
    if (!(error instanceof NoIsolationError)) throw error;
    console.warn(`${error.message}\nThese programs are harmless and run without isolation.`);
    isolation = 'none';
  }
});

const score = async (spec: object, completions: string[], extra: object) => {
  await using reward = await codeReward({ type: 'code', isolation, ...spec });
  return reward.score(answers(completions, extra as Record<string, unknown>));
};

test('all tests or the share of them', async () => {
  const half = '```python\ndef double(x): return x + 2\n```';
  const whole = '```python\ndef double(x): return 2 * x\n```';
  const row = { tests: ['assert double(2) == 4', 'assert double(3) == 6'] };
  expect(await score({}, [whole, half], row)).toEqual([
    { score: 1, aspects: { passed: 1, tests: 2 } },
    {
      score: 0,
      aspects: { passed: 0.5, tests: 2 },
      note: expect.stringMatching(/^test 1: .*\(test, line 1\)$/),
    },
  ]);
  const [share] = await score({ score: 'fraction' }, [half], row);
  expect(share!.score).toBe(0.5);
});

test('cases of input and output; outputs never enter the sandbox', async () => {
  const cases = [
    { input: '2\n', output: '4' },
    { input: '3\n', output: '6\n' },
  ];
  const programs = ['print(2 * int(input()), " ")', 'print(4)', 'raise ValueError("no")'];
  expect((await score({}, programs, { cases })).map(({ score, note }) => [score, note])).toEqual([
    [1, undefined],
    [0, expect.stringMatching(/^case 1: /)],
    [0, 'case 0: ValueError: no'],
  ]);
  const lists = JSON.stringify({ inputs: ['2\n'], outputs: ['4\n'] });
  expect((await score({}, programs, { input_output: lists })).map(({ score }) => score)).toEqual([
    1, 1, 0,
  ]);
});

test('a megabyte of spaces is compared quickly', async () => {
  const [outcome] = await score(
    { limits: { output_kilobytes: 4096 } },
    ["print(' ' * 1000000 + 'x')"],
    { cases: [{ input: '', output: 'x' }] },
  );
  expect(outcome!.score).toBe(0);
});

test('notes contain no control characters', async () => {
  const [outcome] = await score({}, ["raise ValueError('\\x1b[2J')"], {
    tests: ['assert f() == 1'],
  });
  expect(outcome!.note).toBe('test 0: the program does not load: ValueError: \uFFFD[2J');
});

test('a completion that continues code, as in HumanEval', async () => {
  await using reward = await codeReward({ type: 'code', isolation, prompt_is_code: true });
  const row = {
    prompt: 'def helper(x):\n    return x + 1\n\ndef twice(x):\n    """Twice."""\n',
    extra: {
      entry_point: 'twice',
      test: 'METADATA = {}\n\ndef check(candidate):\n    assert helper(candidate(2)) == 5\n',
    },
  };
  const outcomes = await reward.score([
    { ...row, completion: '    return 2 * x\n' },
    { ...row, completion: '    return 0\ndef helper(x): return 5\n' },
  ]);
  expect(outcomes.map(({ score }) => score)).toEqual([1, 0]);
});

test('rows without tests, or with invalid ones, are errors', async () => {
  await expect(score({}, ['x'], { solution: 1 })).rejects.toMatchObject({
    index: 0,
    message: expect.stringMatching(/"tests" or "cases".*"solution"/),
  });
  await expect(score({}, ['x'], { tests: 3 })).rejects.toThrow('"tests" is not a test or a list');
  await expect(score({}, ['x'], { tests: 'f(1)' })).rejects.toThrow('checks nothing');
  const uncalled = { tests: ['def check(candidate):\n    assert candidate(2) == 4'] };
  await expect(score({}, ['def double(x): return 2 * x'], uncalled)).rejects.toMatchObject({
    index: 0,
    message:
      'code: test 0 checks nothing: check(candidate) is not called, because the row names no entry point',
  });
});
