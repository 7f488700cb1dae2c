import { expect, test } from 'vitest';
import { DataError } from './data-error.ts';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { answerLabels, isDesirable, likelier, pairRanks } from './label-probability.ts';
import { openRows } from './open-rows.ts';
import { parseRow } from './parse-row.ts';
import type { RowKind } from './rows.ts';
import { trainingFault } from './training-fault.ts';

const { write } = temporaryFiles();
const place = { file: 'rows.jsonl', line: 3 };
const pair = { prompt: 'Why?', chosen: 'Because.', rejected: 'No.' };
const thumb = { prompt: 'Why?', completion: 'Because.', label: true };

const faultOf = (kind: RowKind, row: object): DataError => {
  try {
    parseRow(kind, row, place);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  return expect.fail('the row was accepted');
};

test.each([0, 0.25, 0.5, 1])('pairs and labelled answers have a probability of %d', (p) => {
  for (const kind of ['preference', 'judged'] as const) {
    const row = parseRow(kind, { ...pair, label_probability: p }, place);
    expect(row).toMatchObject({ label_probability: p, extra: {} });
  }
  const row = parseRow('unpaired', { ...thumb, label_probability: p }, place);
  expect(row).toMatchObject({ label: true, label_probability: p, extra: {} });
});

test.each([null, undefined])('a probability of %s is none', (none) => {
  expect(parseRow('preference', { ...pair, label_probability: none }, place)).not.toHaveProperty(
    'label_probability',
  );
});

test.each([
  [1.0001, '1.0001'],
  [-0.1, '-0.1'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  ['0.7', '0.7'],
  [[0.7], '0.7'],
  [true, 'true'],
])('a probability of %s is refused by its name and place', (p, shown) => {
  for (const [kind, row] of [
    ['preference', pair],
    ['judged', pair],
    ['unpaired', thumb],
  ] as const) {
    const fault = faultOf(kind, { ...row, label_probability: p });
    expect(fault).toMatchObject({ ...place, field: 'label_probability' });
    expect(fault.expected).toMatch(/0.*1/);
    expect(fault.found).toContain(shown);
  }
});

test('CSV cells are numbers', async () => {
  const rows = 'chosen,rejected,prompt,label_probability\na,b,q,0.75\nc,d,q,\n';
  await using source = await openRows(write('soft.csv', rows), { kind: 'preference' });
  const [first, second] = await source.readMany([0, 1]);
  expect(first).toMatchObject({ label_probability: 0.75 });
  expect(second).not.toHaveProperty('label_probability');
  const bad = write('bad.csv', 'chosen,rejected,prompt,label_probability\na,b,q,nan\n');
  const { text } = await dataErrorOf(() => openRows(bad, { kind: 'preference' }));
  expect(text).toMatch(/bad\.csv:2.*"label_probability".*"nan"/s);
});

test('the field can have another name in a file', async () => {
  const path = write('named.jsonl', JSON.stringify({ ...pair, confidence: 0.6 }));
  const columns = ['label_probability=confidence'];
  await using source = await openRows(path, { kind: 'preference', columns });
  expect(await source.read(0)).toMatchObject({ label_probability: 0.6, extra: {} });
});

test('next to a label false, only the probability of true is taken', () => {
  const bad = { ...thumb, label: false };
  const row = parseRow('unpaired', { ...bad, label_probability: 0.2 }, place);
  expect(row).toMatchObject({ label: false, label_probability: 0.2 });
  const fault = faultOf('unpaired', { ...bad, label_probability: 0.9 });
  expect(fault).toMatchObject({ field: 'label_probability', found: '0.9' });
  expect(fault.advice).toMatch(/0\.9.*0\.1.*"label": true/);
});

test.each([
  ['ranking', { prompt: 'q', completions: ['a', 'b'], ranking: [1, 2] }],
  ['process', { prompt: 'q', completions: ['a', 'b'], labels: [true, false] }],
  ['samples', { prompt: 'q', completions: ['a', 'b'] }],
] as const)('a %s row has none', (kind, row) => {
  const fault = faultOf(kind, { ...row, label_probability: 0.8 });
  expect(fault).toMatchObject({ ...place, field: 'label_probability' });
});

test('rows whose answer is imitated are refused unless it is certain; prompts keep the column', () => {
  const own = { prompt: 'q', completion: 'a' };
  for (const [kind, row] of [
    ['completion', own],
    ['messages', { messages: [{ role: 'assistant', content: 'a' }] }],
    ['text', { text: 'a' }],
  ] as const) {
    const faultAt = (p: unknown) =>
      trainingFault(parseRow(kind, { ...row, label_probability: p }, place));
    expect(faultAt(0.8)).toMatchObject({ field: 'label_probability' });
    expect(faultAt('0.8')).toMatchObject({ field: 'label_probability' });
    for (const none of [1, '1', null, '']) expect(faultAt(none)).toBeNull();
  }
  const prompt = parseRow('prompt', { prompt: 'q', label_probability: 0.8 }, place);
  expect(prompt.extra).toEqual({ label_probability: 0.8 });
});

test('which label is the more probable one', () => {
  expect([undefined, 1, 0.51, 0.5, 0.49, 0].map((p) => likelier(p))).toEqual([1, 1, 1, 0, -1, -1]);
  expect([0.6, 0.5, 0.4].map((p) => pairRanks(p))).toEqual([
    [1, 2],
    [1, 1],
    [2, 1],
  ]);
  const found = [
    { label: true },
    { label: false },
    { label: true, label_probability: 0.4 },
    { label: true, label_probability: 0.5 },
    { label: false, label_probability: 0.5 },
  ].map((row) => isDesirable(row));
  expect(found).toEqual([true, false, false, true, false]);
});

test.each([undefined, 0, 0.2, 0.5, 0.75, 1])('a pair of %s gives two valid labelled rows', (p) => {
  const rows = answerLabels(p).map((label) =>
    parseRow('unpaired', { prompt: 'q', completion: 'a', ...label }, place),
  );
  const desirable = rows.map((row) => row.label_probability ?? Number(row.label));
  expect(desirable).toEqual([p ?? 1, 1 - (p ?? 1)]);
});
