import { expect, test } from 'vitest';
import { otherAnswerFault } from './answer-forms.ts';
import { parseRow } from './parse-row.ts';
import type { RowKind } from './rows.ts';

const place = { file: 'rows.jsonl', line: 3 };
const pair = { prompt: 'P', chosen: 'good', rejected: 'bad' };
const ranked = { completions: ['x', 'yy'], ranking: [1, 2] };
const faultIn = (kind: RowKind, row: object): string => {
  try {
    parseRow(kind, row, place);
  } catch (error) {
    return (error as { field: string }).field;
  }
  return 'none';
};

test.each<[string, object]>([
  ['a ranking', ranked],
  ['scores', { completions: ['x', 'yy'], scores: [2, 1] }],
  ['answers without a verdict', { completions: ['x', 'yy'] }],
  ['ranked objects', { completions: [{ text: 'x' }, { text: 'y' }], ranking: [1, 2] }],
  ['steps', { completions: ['x', 'yy'], labels: [true, false] }],
])('a pair next to %s is refused by name in every kind that compares', (_, other) => {
  for (const kind of ['preference', 'ranking', 'samples', 'judged'] as const) {
    expect(faultIn(kind, { ...pair, ...other })).toBe('completions');
  }
});

test.each<[string, object]>([
  ['objects', { completions: [{ text: 'x', score: 4 }] }],
  ['an empty list', { completions: [] }],
  ['a name', { completions: 'batch-7' }],
  ['null', { completions: null, ranking: [1, 2] }],
])('a pair next to %s in "completions" is a pair', (_, other) => {
  for (const kind of ['preference', 'judged'] as const) {
    expect(parseRow(kind, { ...pair, ...other }, place)).toMatchObject(pair);
  }
});

test('completions have one kind of judgement', () => {
  const row = { prompt: 'P', completions: ['x', 'yy'] };
  for (const name of ['ranking', 'scores']) {
    expect(faultIn('samples', { ...row, [name]: [1, 2] })).toBe(name);
    expect(faultIn('judged', { ...row, labels: [true, false], [name]: [1, 2] })).toBe(name);
    expect(faultIn('ranking', { ...row, labels: [true, false], [name]: [1, 2] })).toBe('labels');
  }
  expect(faultIn('samples', { ...row, labels: [true, false] })).toBe('labels');
  // The class of a question, for a reward function.
  expect(parseRow('samples', { ...row, labels: 'maths' }, place).extra).toEqual({
    labels: 'maths',
  });
  expect(parseRow('judged', { ...row, ranking: [1, 2], labels: 'maths' }, place)).toMatchObject({
    ranks: [1, 2],
  });
});

test('a row to score has its answers in one form', () => {
  const fault = (kind: RowKind, row: object) => otherAnswerFault(parseRow(kind, row, place));
  const completion = 'c';
  expect(fault('preference', { ...pair, completion })).toMatchObject({ field: 'completion' });
  expect(fault('completion', { ...pair, completion })).toMatchObject({ field: 'completion' });
  expect(fault('ranking', { prompt: 'P', ...ranked, completion })).toMatchObject({
    field: 'completion',
  });
  expect(fault('completion', { prompt: 'P', completion, chosen: null })).toBeNull();
  expect(fault('preference', pair)).toBeNull();
});
