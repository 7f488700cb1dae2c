import { expect, test } from 'vitest';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';

const { write } = temporaryFiles();
const row = (name: string) => JSON.stringify({ text: name });
const texts = async (path: string, maxRowBytes?: number) => {
  await using source = await openRows(path, { kind: 'text', maxRowBytes });
  const sought = (await source.readMany([...Array(source.length).keys()])).map(({ text }) => text);
  const walked: string[] = [];
  for await (const { text } of source.iterate()) walked.push(text);
  expect(walked).toEqual(sought);
  return { texts: sought, lines: sought.map((_, index) => source.place(index).line) };
};
const failure = (path: string, maxRowBytes?: number) =>
  dataErrorOf(() => openRows(path, { kind: 'text', maxRowBytes }));

test('blank lines are skipped but counted', async () => {
  const path = write('blank.jsonl', `\n${row('a')}\n\n  \t\n${row('b')}\n\n`);
  expect(await texts(path)).toEqual({ texts: ['a', 'b'], lines: [2, 5] });
  const bad = await failure(write('bad.jsonl', `${row('a')}\n\n\r\n{"text": 3}\n`));
  expect(bad.text).toBe('bad.jsonl:4: field "text": expected a string, found a number (3)');
});

test('a byte order mark, CRLF and a missing last newline are accepted', async () => {
  const path = write('windows.jsonl', `\uFEFF${row('a')}\r\n\r\n${row('b')}\r\n${row('c')}`);
  expect(await texts(path)).toEqual({ texts: ['a', 'b', 'c'], lines: [1, 3, 4] });
});

test('line separators inside a string do not end the line', async () => {
  const path = write('separators.jsonl', `${row('a\u2028b\u2029c\u0085d')}\n${row('e')}`);
  expect((await texts(path)).texts).toEqual(['a\u2028b\u2029c\u0085d', 'e']);
});

test('lines across parts of the file, and huge lines, are read whole', async () => {
  const long = ['é'.repeat(700_000), '😀'.repeat(900_000), 'x', 'z'.repeat(1 << 20)];
  const read = await texts(write('long.jsonl', long.map(row).join('\n')));
  expect(read.texts.map((text, index) => text === long[index])).toEqual([true, true, true, true]);
});

test('a line above the limit is an error, or skipped, and the next one is read', async () => {
  const path = write('limit.jsonl', `${row('a')}\n${row('b'.repeat(3 << 20))}\n${row('c')}`);
  const { error, text } = await failure(path, 1 << 20);
  expect(text).toContain('limit.jsonl:2: expected a line of at most 1048576 bytes');
  expect(error.line).toBe(2);
  await using skipped = await openRows(path, {
    kind: 'text',
    onBadRow: 'skip',
    maxRowBytes: 1 << 20,
  });
  expect((await skipped.readMany([0, 1])).map((each) => each.text)).toEqual(['a', 'c']);
  expect(skipped.badRows.map((bad) => bad.line)).toEqual([2]);
  expect(skipped.place(1).line).toBe(3);
});

test('invalid UTF-8 is named by its byte, not replaced', async () => {
  const bytes = Buffer.concat([
    Buffer.from(`${row('a')}\n{"text": "é`),
    Buffer.from([0xe9, 0x22, 0x7d]),
  ]);
  const { text } = await failure(write('latin.jsonl', bytes));
  expect(text).toContain(
    'latin.jsonl:2: expected UTF-8 text, found the byte 0xe9 at byte 13 of the line',
  );
});

test.each([
  ['empty.jsonl', '', 'empty.jsonl: the file is empty (0 bytes)'],
  ['blanks.jsonl', '\n \r\n\n', 'blanks.jsonl: expected at least one good row, found none'],
  [
    'cut.jsonl',
    `${row('a')}\n{"text": "b`,
    'cut.jsonl:2: expected a JSON object, found Unterminated string',
  ],
  ['nan.jsonl', '{"text": "a", "margin": NaN}', 'NaN or Infinity'],
  ['python.jsonl', "{'text': 'a'}", 'json.dumps'],
  ['pretty.jsonl', '{\n  "text": "a"\n}', 'name the file .json'],
  ['twice.jsonl', JSON.stringify(row('a')), 'the row was encoded twice'],
  ['list.jsonl', `[${row('a')}]`, 'expected an object with the fields of a text row, found a list'],
])('%s', async (name, content, expected) => {
  expect((await failure(write(name, content))).text).toContain(expected);
});

test('UTF-16 is rejected with advice', async () => {
  const bytes = Buffer.from(`\uFEFF${row('a')}\n`, 'utf16le');
  for (const name of ['wide.jsonl', 'wide.json', 'wide.csv']) {
    expect((await failure(write(name, bytes))).text).toContain('found UTF-16 text. Convert it');
  }
});

test('a change to a file after it was indexed is detected when it is read', async () => {
  const path = write('changing.jsonl', `${row('a')}\n${row('b')}\n`);
  await using source = await openRows(path, { kind: 'text' });
  write('changing.jsonl', `${row('a')}`);
  const { text } = await dataErrorOf(() => source.read(1));
  expect(text).toContain('changing.jsonl:2: the file changed after it was indexed');
  await expect(source.fingerprint()).rejects.toThrow('the file changed after it was indexed');
});

test('whole numbers beyond 2^53 keep their digits, and one beyond the range of a double is an error', async () => {
  const path = write('wide.jsonl', '{"text": "a", "answer": 18446744073709551617, "b": 20.0}\n');
  await using source = await openRows(path, { kind: 'text' });
  const extra = { answer: 18446744073709551617n, b: 20 };
  expect((await source.read(0)).extra).toEqual(extra);
  for await (const read of source.iterate()) expect(read.extra).toEqual(extra);
  const huge = write('huge.jsonl', `${row('a')}\n{"text": "b", "answer": 1e400}\n`);
  expect((await failure(huge)).text).toMatch(
    /^huge\.jsonl:2: field "answer": expected .*, found 1e400/,
  );
});
