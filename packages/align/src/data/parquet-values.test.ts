import { PythonFloat } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { describe, expect, test } from 'vitest';
import { fixture } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import { rowValues } from './parquet-values.ts';

// Written by fixtures/make-parquet-values.py.
const rows = async () => {
  await using source = await openRows(fixture('values.parquet'), { kind: 'completion' });
  return await source.readMany([0, 1, 2]);
};
const called = (args: object) => [
  { type: 'function', function: { name: 'heat', arguments: args } },
];

test('structs have the fields that the row has, and no nulls from other rows', async () => {
  const [first, second, third] = await rows();
  expect(first?.prompt).toStrictEqual([{ role: 'user', content: 'Heat?', name: 'ann' }]);
  expect(first?.completion).toStrictEqual([
    { role: 'assistant', content: '', tool_calls: called({ n: 9007199254740993n, town: 'Oslo' }) },
  ]);
  expect(second?.prompt).toStrictEqual([
    { role: 'user', content: 'Heat?' },
    // Every message has a content: this null comes from the writer.
    { role: 'assistant', content: null, tool_calls: called({ t: new PythonFloat(20) }) },
    { role: 'tool', content: 'ok' },
  ]);
  expect(second?.completion).toStrictEqual([{ role: 'assistant', content: 'Done.' }]);
  expect([second?.rendering, third?.rendering]).toStrictEqual([
    undefined,
    { tools: null, variables: { budget: new PythonFloat(20) } },
  ]);
});

test('structs have their fields in the order of the schema', () => {
  const type = 'INT32' as const;
  const repetition_type = 'OPTIONAL' as const;
  const values = rowValues({
    version: 1,
    num_rows: 1n,
    row_groups: [],
    metadata_length: 0,
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'sales', repetition_type, num_children: 3 },
      ...['title', '2024', '2023'].map((name) => ({ name, type, repetition_type })),
    ],
  });
  expect(exactJson(values({ sales: { 2023: 5, 2024: 7, title: 1 } }))).toBe(
    '{"sales":{"title":1,"2024":7,"2023":5}}',
  );
  expect(exactJson(values({ sales: { 2023: 5, title: 1 } }))).toBe(
    '{"sales":{"title":1,"2023":5}}',
  );
});

test('JSON text keeps its nulls and its floats', async () => {
  const [first] = await rows();
  const parameters = { limit: new PythonFloat(20), default: null };
  const tool = { type: 'function', function: { name: 'heat', parameters } };
  expect(first?.rendering).toStrictEqual({ tools: [tool], variables: { think: false } });
});

test('a reward sees numbers with all their digits, dates and times as text, and no added nulls', async () => {
  const [first, second] = await rows();
  const { tools: _, ...extra } = first!.extra;
  expect(extra).toStrictEqual({
    chat_template_kwargs: { think: false },
    answer: 18446744073709551615n,
    score: 20,
    price: 0.3,
    wide: '12345678901234567890.125',
    day: '2024-02-29',
    naive: '2024-02-29T12:00:00.000005',
    utc: '1969-12-31T23:59:59.5Z',
    counts: { a: 1, b: null },
    list: [1, null, 3],
    meta: { a: 20, b: null, c: 9007199254740993n },
  });
  expect(second?.extra).toMatchObject({
    ...{ answer: 7, score: 1.5, price: -12.05, wide: 0.5, day: '1969-12-31' },
    ...{ naive: null, counts: {}, list: [], meta: null },
  });
});

describe('classes of labels, as datasets writes them', () => {
  const read = (
    names: readonly string[],
    values: readonly (number | null)[],
    type = 'ClassLabel',
  ) => {
    const features = { label: { names, _type: type }, other: { names, _type: type } };
    const convert = rowValues({
      ...{ version: 1, num_rows: 1n, row_groups: [], metadata_length: 0 },
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
        { name: 'other', type: 'INT64', repetition_type: 'OPTIONAL' },
      ],
      key_value_metadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    });
    return values.map((value) => convert({ label: value, other: value }));
  };

  test('are true or false by their names, whatever their numbers', () => {
    expect(read(['good', 'bad'], [0, 1, -1, null])).toEqual([
      { label: true, other: 0 },
      { label: false, other: 1 },
      { label: null, other: -1 },
      { label: null, other: null },
    ]);
    expect(read(['Thumbs-down', 'Thumbs-up'], [0, 1])).toMatchObject([
      { label: false },
      { label: true },
    ]);
    expect(read(['good', 'bad'], [1], 'Value')).toEqual([{ label: 1, other: 1 }]);
  });

  test('are refused where their names do not tell', () => {
    for (const names of [['a', 'b'], ['good', 'fair', 'bad'], ['good']]) {
      expect(() => read(names, [0])).toThrow(/"label" has the classes 0: "/);
    }
  });
});
