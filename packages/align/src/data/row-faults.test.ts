import { ChatTemplateError } from '@keel/model';
import { expect, test } from 'vitest';
import { DataError } from './data-error.ts';
import { atRow, RowFaults, tokenisedAt } from './row-faults.ts';

const place = (line: number) => ({ file: 'rows.jsonl', line });
const refusing = (): never => {
  throw new ChatTemplateError('roles must alternate');
};

test('an error of the chat template names the row and keeps its cause', () => {
  const fault = atRow(new ChatTemplateError('no tools'), place(4), 'Remove them') as DataError;
  expect(fault).toBeInstanceOf(DataError);
  expect(fault.message).toBe('rows.jsonl:4: no tools. Remove them');
  expect(fault.cause).toBeInstanceOf(ChatTemplateError);
  expect(() => tokenisedAt(place(2), refusing)).toThrow('rows.jsonl:2: roles must alternate');
});

test('other errors are not faults of the row', () => {
  const other = new TypeError('a bug');
  expect(atRow(other, place(1))).toBe(other);
  const faults = new RowFaults('skip');
  expect(() =>
    faults.take(place(1), () => {
      throw other;
    }),
  ).toThrow(other);
  expect(faults.notice()).toBeNull();
});

test('bad rows are errors, or are skipped and counted once each', () => {
  expect(() => new RowFaults('fail').take(place(1), refusing)).toThrow(DataError);
  const faults = new RowFaults('skip');
  expect(faults.take(place(1), () => 5)).toBe(5);
  expect(faults.take(place(2), refusing)).toBeUndefined();
  expect(faults.take(place(2), refusing)).toBeUndefined();
  expect(faults.notice()).toMatch(/^1 bad row .*rows\.jsonl:2: roles must alternate$/);
  faults.take(place(3), refusing);
  expect(faults.count).toBe(2);
  expect(faults.notice()).toMatch(/^2 bad rows .*rows\.jsonl:2/);
});
