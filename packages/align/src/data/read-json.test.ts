import { open } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import { readJson } from './read-json.ts';

const { write } = temporaryFiles();
const list = [{ text: 'a' }, { text: 'b' }];
const texts = async (path: string) => {
  await using source = await openRows(path, { kind: 'text' });
  return (await source.readMany([0, 1])).map(({ text }) => text);
};

test.each([
  ['list.json', JSON.stringify(list, null, 2)],
  ['data.json', JSON.stringify({ version: 1, data: list })],
  ['mark.json', `\uFEFF${JSON.stringify(list)}\r\n`],
  ['lines.json', list.map((row) => JSON.stringify(row)).join('\n')],
])('%s', async (name, content) => {
  expect(await texts(write(name, content))).toEqual(['a', 'b']);
  expect(await texts(write(`${name}.gz`, gzipSync(content)))).toEqual(['a', 'b']);
});

test('bad rows are numbered from 1, good ones keep their number', async () => {
  const path = write('bad.json', JSON.stringify([{ text: 'a' }, { text: 1 }, { text: 'c' }]));
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'text' }));
  expect(text).toBe('bad.json, row 2: field "text": expected a string, found a number (1)');
  await using source = await openRows(path, { kind: 'text', onBadRow: 'skip' });
  expect(source.place(1)).toEqual({ file: path, row: 3 });
  expect(source.badRows).toMatchObject([{ file: path, row: 2 }]);
});

test('a syntax error names the line', async () => {
  const path = write('broken.json', '[\n  {"text": "a"},\n  {"text": b}\n]');
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'text' }));
  expect(text).toMatch(/^broken\.json:3: expected a JSON object, found Unexpected token 'b'/);
});

test('splits in one object are refused by name', async () => {
  const path = write('splits.json', JSON.stringify({ train: list, test: list }));
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'text' }));
  expect(text).toContain('found an object with the fields train, test');
});

test('a file too large for memory is rejected with an alternative', async () => {
  const handle = await open(write('large.json', JSON.stringify(list)));
  const context = { name: 'large.json', kind: 'text' as const, maxRowBytes: 1000 };
  const done = { accept: () => true, reject: () => {}, progress: () => {} };
  const { text } = await dataErrorOf(() => readJson(handle, { ...context, ...done }, 10));
  expect(text).toContain('JSONL');
  await handle.close();
});

test('whole numbers beyond 2^53 keep their digits, and one beyond the range of a double is an error', async () => {
  const wide = write('wide.json', '[{"text": "a", "answer": 9007199254740993}]');
  await using source = await openRows(wide, { kind: 'text' });
  expect((await source.read(0)).extra).toEqual({ answer: 9007199254740993n });
  const huge = write('huge.json', '[\n{"text": "a"},\n{"text": "b", "answer": -1e400}]');
  expect((await dataErrorOf(() => openRows(huge, { kind: 'text' }))).text).toContain(
    'huge.json:3: field "answer": expected a number within the range of a double, found -1e400',
  );
});
