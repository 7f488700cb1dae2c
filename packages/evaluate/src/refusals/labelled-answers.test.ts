import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownExamples, readLabelledAnswers } from './labelled-answers.ts';
import { refusalLabels } from './refusal-model.ts';

const file = (...rows: object[]): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'keel-labels-')), 'rows.jsonl');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};

const row = { model: 'm', prompt: 'p', completion: 'a', final_label: '3_partial_refusal' };

test("XSTest's rows are read", () => {
  expect(readLabelledAnswers(file(row))).toEqual([
    { model: 'm', prompt: 'p', answer: 'a', label: 'partial_refusal' },
  ]);
});

test('a row without a label is named', () => {
  expect(() => readLabelledAnswers(file(row, { ...row, final_label: '4' }))).toThrow(/:2: .*"4"/);
});

test('every example has a label, and none is there twice', () => {
  const examples = ownExamples();
  for (const { label } of examples) expect(refusalLabels).toContain(label);
  expect(new Set(examples.map(({ answer }) => answer)).size).toBe(examples.length);
});
