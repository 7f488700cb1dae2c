import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { describe, expect, test } from 'vitest';
import { CheckError, type CheckedRow, type CheckOutcome, type Target } from './check.ts';
import { openCheck } from './open-check.ts';

const row = (target?: Target, extra: object = {}): CheckedRow => ({
  prompt: 'A question?',
  ...(target !== undefined && { target }),
  extra: { ...extra },
});

const checked = async (
  spec: string | object,
  answer: string,
  { target, ...extra }: { target?: Target; [field: string]: unknown } = {},
): Promise<CheckOutcome> => {
  await using check = await openCheck(spec);
  const given = row(target, extra);
  check.admit(given);
  return await check.check(answer, given);
};

const score = async (...args: Parameters<typeof checked>): Promise<number | null> =>
  (await checked(...args)).score;

describe('exact', () => {
  test.each([
    ['exact', ' Paris\n', 'Paris', 1],
    ['exact', 'paris', 'Paris', 0],
    ['exact', 'Lyon', ['Paris', 'Lyon'], 1],
    ['exact', '4', 4, 1],
    [{ type: 'exact', ignore: ['case', 'punctuation', 'whitespace'] }, 'PARIS.', 'paris', 1],
    [{ type: 'exact', ignore: ['articles', 'whitespace'] }, 'the Seine', 'Seine', 1],
    [{ type: 'exact', ignore: ['markdown'] }, '**Paris**', 'Paris', 1],
    [{ type: 'exact', ignore: ['unicode'] }, 'Ｐａｒｉｓ', 'Paris', 1],
    [{ type: 'exact', ignore: [] }, 'Paris ', 'Paris', 0],
    [{ type: 'exact', of: 'first_line' }, '\nParis\nIt is in France.', 'Paris', 1],
    [{ type: 'exact', of: 'last_line' }, 'So it is:\nParis\n\n', 'Paris', 1],
    ['exact', '', 'Paris', 0],
  ] as const)('%j %j %j', async (spec, answer, target, expected) => {
    expect(await score(spec, answer, { target })).toBe(expected);
  });
});

describe('number', () => {
  test.each([
    ['It is 42.', 42, 1],
    ['There are 6 x 7 = 42 of them', '#### 42', 1],
    ['#### 42\nThat was step 3 of 4', 42, 1],
    ['so $\\boxed{1{,}234}$ in 2 steps', 1234, 1],
    ['about 41.9', 42, 0],
    ['no idea', 42, 0],
    ['', 42, 0],
    ['1/3', 1 / 3, 1],
  ] as const)('%j %j', async (answer, target, expected) => {
    expect(await score('number', answer, { target })).toBe(expected);
  });

  test('tolerances', async () => {
    expect(await score({ type: 'number', tolerance: 0.2 }, 'about 41.9', { target: 42 })).toBe(1);
    expect(await score({ type: 'number', relative: 0.01 }, '1005', { target: 1000 })).toBe(1);
    expect(await score({ type: 'number', relative: 0.001 }, '1005', { target: 1000 })).toBe(0);
    expect(await score({ type: 'number', which: 'first' }, '42, not 3', { target: 42 })).toBe(1);
  });
});

describe('choice', () => {
  const choices = ['Rome', 'New York', 'York', 'Oslo'];
  test.each([
    ['B', 'B'],
    ['b)', null],
    ['(C) because it is old', 'C'],
    ['The answer is (D).', 'D'],
    ['The correct answer is: **A**', 'A'],
    ['Answer: b', 'B'],
    ['A is wrong, so the answer is C.', 'C'],
    ['I choose option D, since A is too far', 'D'],
    ['A city in Italy is Rome', 'A'],
    ['It is New York.', 'B'],
    ['york', 'C'],
    ['Rome or Oslo', null],
    ['$\\boxed{\\text{C}}$', 'C'],
    ['The answer is a city', null],
    ['**B. New York**', 'B'],
    ['E', null],
    ['', null],
  ])('%j chooses %j', async (answer, letter) => {
    expect((await checked('choice', answer, { target: 'A', choices })).read).toBe(letter);
  });

  test.each([
    ['C', 1],
    ['(c)', 1],
    [2, 1],
    ['York', 1],
    ['Rome', 0],
  ])('the right one may be a letter, index or text: %j', async (target, expected) => {
    expect(await score('choice', 'C', { target, choices })).toBe(expected);
  });

  test('letters need no texts', async () => {
    expect(await score('choice', '(C)', { target: 'C' })).toBe(1);
  });

  test('a right answer that is not among the choices is an error', async () => {
    await using check = await openCheck('choice');
    for (const target of ['Paris', 'E', 4]) {
      expect(() => check.admit(row(target, { choices }))).toThrow(
        expect.objectContaining({ name: 'CheckError', field: 'target' }),
      );
    }
    expect(() => check.admit(row('A', { choices: 'Rome' }))).toThrow(
      expect.objectContaining({ field: 'choices' }),
    );
  });
});

describe('regex', () => {
  test.each([
    ['regex:/^yes/i', 'Yes, it is', {}, 1],
    ['regex:/^yes/', 'Yes, it is', {}, 0],
    [{ type: 'regex', pattern: 'no', mode: 'no_match' }, 'maybe', {}, 1],
    [
      { type: 'regex', pattern: 'is (\\w+)', group: 1 },
      'It is Rome. It is Oslo',
      { target: 'Oslo' },
      1,
    ],
    [{ type: 'regex', pattern: 'is (\\w+)', group: 1 }, 'It was Oslo', { target: 'Oslo' }, 0],
  ] as const)('%j on %j', async (spec, answer, given, expected) => {
    expect(await score(spec, answer, { ...given })).toBe(expected);
    expect(await score(spec, answer, { ...given })).toBe(expected);
  });

  test('a pattern that never finishes is an error', { timeout: 30_000 }, async () => {
    await expect(score('regex:/(a+)+b/', 'a'.repeat(60))).rejects.toThrow(/\(a\+\)\+b.*10.*60/s);
  });
});

describe('includes and excludes', () => {
  test.each([
    ['includes:Paris', 'it is PARIS!', {}, 1],
    ['includes', 'it is Paris', { target: ['Lyon', 'Paris'] }, 1],
    [{ type: 'includes', how_many: 'all' }, 'it is Paris', { target: ['Lyon', 'Paris'] }, 0],
    ['includes:cat', 'concatenate', {}, 0],
    [{ type: 'includes', texts: ['cat'], words: false }, 'concatenate', {}, 1],
    [{ type: 'includes', texts: ['Cat'], case: true }, 'a cat', {}, 0],
    ['includes:C++', 'I like C++11', {}, 1],
    ['excludes:sorry', 'I am sorry', {}, 0],
    ['excludes:sorry', 'I am not', {}, 1],
  ] as const)('%j in %j', async (spec, answer, given, expected) => {
    expect(await score(spec, answer, { ...given })).toBe(expected);
  });
});

describe('JSON', () => {
  const schema = { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } };
  test.each([
    ['{"a": 1}', 1],
    ['Here:\n```json\n{"a": 1}\n```\nDone.', 1],
    ['The result is {"a": 1} as [wanted].', 1],
    ['{"a": "x"}', 0],
    ['{"a": 1', 0],
    ['{a: 1}', 0],
    ['', 0],
    ['{"b": "{"} or {"a": 2}', 1],
  ])('%j', async (answer, expected) => {
    expect(await score({ type: 'json', schema }, answer)).toBe(expected);
    expect(await score('json', answer, { schema })).toBe(expected);
  });

  test('without a schema, any JSON is right; `whole` allows nothing around it', async () => {
    expect(await score('json', 'It is [1, 2].')).toBe(1);
    expect(await score({ type: 'json', where: 'whole' }, 'It is [1, 2].')).toBe(0);
    expect(await score({ type: 'json', where: 'whole' }, ' [1, 2]\n')).toBe(1);
  });

  test('a schema of 2020-12', async () => {
    const draft = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
    const pair = { ...draft, prefixItems: [{ type: 'number' }], items: false };
    expect(await score({ type: 'json', schema: pair }, '[1]')).toBe(1);
    expect(await score({ type: 'json', schema: pair }, '[1, 2]')).toBe(0);
  });

  test('a wrong schema is named', async () => {
    const wrong = { type: 'text' };
    await expect(openCheck({ type: 'json', schema: wrong }, { place: 's.yaml:3' })).rejects.toThrow(
      /s\.yaml:3.*schema/s,
    );
    await expect(openCheck({ type: 'json', schema: 'none.json' })).rejects.toThrow(/none\.json/);
    await using check = await openCheck('json');
    expect(() => check.admit(row(undefined, { schema: wrong }))).toThrow(CheckError);
  });
});

describe('function', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keel-check-'));
  writeFileSync(
    join(folder, 'own.ts'),
    `export default ({ text, extra }) => ({ score: text === extra.target ? 1 : 0, note: text });
     export const much = () => 3;
     export const none = () => null;
     export const late = () => { for (;;); };`,
  );
  const run = async (spec: string | object): Promise<CheckOutcome> => {
    await using check = await openCheck(spec, { folder });
    return await check.check('Oslo', row('Oslo'));
  };

  test('it gets the right answer', async () => {
    expect(await run('own.ts')).toMatchObject({ score: 1, note: 'Oslo' });
    expect(await run('own.ts#none')).toMatchObject({ score: null });
  });

  test('faults are named', async () => {
    await expect(run('own.ts#much')).rejects.toThrow(/own\.ts#much.*3/);
    await expect(run({ type: 'function', module: 'own.ts#late', timeout: 0.3 })).rejects.toThrow(
      /own\.ts#late.*0\.3/s,
    );
    await expect(run('own.ts#other')).rejects.toThrow(/own\.ts#other/);
    await expect(run('missing.ts')).rejects.toThrow(/missing\.ts/);
  });
});

describe('refusal', () => {
  const no = "I'm sorry, but I can't help with that.";
  const yes = 'Open the window and wave.';
  test.each([
    ['safe', yes, 1, 'full_compliance'],
    ['safe', no, 0, 'full_refusal'],
    ['unsafe', yes, 0, 'full_compliance'],
    ['unsafe', no, 1, 'full_refusal'],
    [undefined, no, null, 'full_refusal'],
  ])('a prompt that is %s: %s', async (label, answer, expected, found) => {
    const outcome = await checked('refusal', answer, { label });
    for (const [name, measure] of Object.entries(outcome.measures ?? {})) {
      const lower = name === 'over_refusal' ? { lowerIsBetter: true } : {};
      expect(measure).toEqual({ sum: expect.any(Number), count: 1, share: true, ...lower });
    }
    expect(outcome).toMatchObject({ score: expected, label: found });
  });

  test('another label is an error', async () => {
    await expect(score('refusal', yes, { label: 'fine' })).rejects.toThrow(/"fine"/);
  });
});

test('instructions: accuracies of prompts and of instructions', async () => {
  const rows = {
    instruction_id_list: ['punctuation:no_comma', 'startend:end_checker'],
    kwargs: [{}, { end_phrase: 'The end.' }],
  };
  const outcome = await checked('instructions', 'Sure, here:\nA story. The end.', rows);
  expect(outcome).toMatchObject({
    score: 0,
    measures: {
      prompt_strict: { sum: 0, count: 1, share: true },
      instruction_strict: { sum: 1, count: 2, share: true },
      prompt_loose: { sum: 1, count: 1 },
      instruction_loose: { sum: 2, count: 2 },
    },
    note: expect.stringMatching(/punctuation:no_comma$/),
  });
  await using check = await openCheck('instructions');
  expect(() => check.admit(row(undefined, { instruction_id_list: ['x:y'] }))).toThrow(
    expect.objectContaining({ field: 'instruction_id_list' }),
  );
});

test.each(['exact', 'number', 'choice', 'includes'])('%s needs a right answer', async (spec) => {
  await using check = await openCheck(spec);
  expect(() => check.admit(row())).toThrow(expect.objectContaining({ field: 'target' }));
  expect(() => check.admit(row([]))).toThrow(expect.objectContaining({ field: 'target' }));
});

test.each([
  ['numbr', /s\.yaml:2.*"numbr".*"number"/],
  ['something else entirely', /s\.yaml:2.*exact.*module\.ts/s],
  ['regex:yes', /s\.yaml:2.*regex:yes/],
  ['regex:/(/', /s\.yaml:2.*pattern/],
  [{}, /s\.yaml:2.*"type"/],
  [{ type: 'nmber' }, /s\.yaml:2.*"nmber".*"number"/],
  [{ type: 'number', tolerence: 1 }, /s\.yaml:2.*"tolerence".*"tolerance"/],
  [{ type: 'number', tolerance: 'much' }, /s\.yaml:2.*tolerance/],
  [{ type: 'exact', ignore: ['colour'] }, /s\.yaml:2.*ignore/],
] as const)('%j is refused with its place', async (spec, message) => {
  const opened = openCheck(spec, { place: 's.yaml:2' });
  await expect(opened).rejects.toThrow(ConfigError);
  await expect(opened).rejects.toThrow(message);
});
