import { PythonFloat } from '@keel/model';
import { expect, test } from 'vitest';
import { droppedByTraining } from './dropped-columns.ts';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import type { RowKind } from './rows.ts';

const { write } = temporaryFiles();
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
const failure = async (name: string, content: string | Uint8Array, kind: RowKind = 'completion') =>
  (await dataErrorOf(() => openRows(write(name, content), { kind }))).text;

test('quoted line breaks, CRLF, blank lines and a byte order mark do not disturb line numbers', async () => {
  const content = '\uFEFFprompt,completion\r\n\r\n"a, b","1\r\n2\n3"\r\n\r\nc,"say ""x"""\r\nd,é';
  await using source = await openRows(write('lines.csv', content), { kind: 'completion' });
  const rows = await source.readMany([0, 1, 2]);
  expect(rows.map(({ prompt, completion }) => [prompt, completion])).toEqual([
    ['a, b', '1\r\n2\n3'],
    ['c', 'say "x"'],
    ['d', 'é'],
  ]);
  expect([0, 1, 2].map((index) => source.place(index).line)).toEqual([3, 7, 8]);
  const walked: unknown[] = [];
  for await (const row of source.iterate(1)) walked.push(row);
  expect(walked).toEqual(rows.slice(1));
});

test('rows across many parts of the file', async () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `"question ${i}\n${'é'.repeat(i % 40)}",answer ${i}`,
  );
  const path = write('many.csv', `prompt,completion\n${lines.join('\n')}\n`);
  await using source = await openRows(path, { kind: 'completion' });
  expect(source.length).toBe(20_000);
  expect(source.place(19_999).line).toBe(2 + 2 * 19_999);
  for (const index of [0, 7_777, 19_999]) {
    const { prompt, completion } = await source.read(index);
    expect([prompt, completion]).toEqual([
      `question ${index}\n${'é'.repeat(index % 40)}`,
      `answer ${index}`,
    ]);
  }
});

test('cells hold chats, numbers, labels and lists', async () => {
  const chat = (role: string, content: string) => cell(JSON.stringify([{ role, content }]));
  const pairs = `prompt,chosen,rejected,margin,source\n${chat('user', 'q')},${chat('assistant', 'a')},${chat('assistant', 'b')},1.5,web\n`;
  await using source = await openRows(write('chat.csv', pairs), { kind: 'preference' });
  expect(await source.read(0)).toEqual({
    prompt: [{ role: 'user', content: 'q' }],
    chosen: [{ role: 'assistant', content: 'a' }],
    rejected: [{ role: 'assistant', content: 'b' }],
    margin: 1.5,
    extra: { source: 'web' },
  });
  const labels = 'prompt\tcompletion\tlabel\na\tb\tTrue\na\tc\t0\n';
  await using unpaired = await openRows(write('labels.tsv', labels), { kind: 'unpaired' });
  expect((await unpaired.readMany([0, 1])).map((row) => row.label)).toEqual([true, false]);
  const numbers = 'prompt,completion,label\na,b,1.0\na,c,0.0\na,d, 1 \n';
  await using numbered = await openRows(write('floats.csv', numbers), { kind: 'unpaired' });
  const read = await numbered.readMany([0, 1, 2]);
  expect(read.map((row) => row.label)).toEqual([true, false, true]);
  await using imitated = await openRows(write('floats.csv', numbers), { kind: 'supervised' });
  expect((await imitated.readMany([0, 1])).map(droppedByTraining)).toEqual([
    ...[null, expect.objectContaining({ field: 'label' })],
  ]);
  const ranks = `prompt,completions,ranking\nq,${cell('["a","b"]')},${cell('[2,1]')}\n`;
  await using ranking = await openRows(write('ranks.csv', ranks), { kind: 'ranking' });
  expect((await ranking.read(0)).ranks).toEqual([2, 1]);
});

test('a pair with a blank prompt cell has no prompt', async () => {
  const [good, bad] = ['Q: x A: good', 'Q: x A: bad'];
  const path = write('blank.csv', `prompt,chosen,rejected\n,${good},${bad}\n" ",${good},${bad}\n`);
  const prompt = 'Q: x A:';
  await using source = await openRows(path, { kind: 'preference' });
  expect(await source.readMany([0, 1])).toMatchObject([{ prompt }, { prompt }]);
  const renamed = write('renamed.csv', `asked,good,rejected\n,${good},${bad}\n`);
  const columns = ['prompt=asked', 'chosen=good'];
  await using named = await openRows(renamed, { kind: 'preference', columns });
  expect(await named.read(0)).toMatchObject({ prompt });
});

test('JSON that is not a chat stays text', async () => {
  const json = '[{"a": 1}]';
  const path = write('json.csv', `prompt,completion\n${cell(json)},x\n`);
  await using source = await openRows(path, { kind: 'completion' });
  expect((await source.read(0)).prompt).toBe(json);
});

test('faults are named by line', async () => {
  const cells = 'prompt,completion\n"a\nb",c\nd,e,f\n';
  expect(await failure('cells.csv', cells)).toContain(
    'cells.csv:4: expected 2 cells, as in the header, found 3',
  );
  expect(await failure('header.csv', 'a,b\n')).toContain(
    'header.csv:1: expected a header line that names',
  );
  expect(await failure('same.csv', 'prompt,prompt\n')).toContain('the name "prompt" twice');
  expect(await failure('only.csv', 'prompt,completion\n')).toContain(
    'at least one good row, found none',
  );
  expect(await failure('quote.csv', 'prompt,completion\na,b\n"x"y,c\n')).toContain(
    'quote.csv:3: Invalid Closing Quote',
  );
  expect(await failure('open.csv', 'prompt,completion\na,b\n"x,c\nd,e\n')).toMatch(
    /open\.csv:3: .*line 4/,
  );
  const label = 'prompt,completion,label\na,b,good\n';
  expect(await failure('label.csv', label, 'unpaired')).toContain(
    'expected true or false, found a string ("good")',
  );
  for (const number of ['NaN', '0x10', '"1,5"', 'Infinity', '1e999']) {
    const margin = `prompt,chosen,rejected,margin\na,b,c,${number}\n`;
    expect(await failure('margin.csv', margin, 'preference')).toContain(
      'field "margin": expected a finite number',
    );
  }
  const latin = Buffer.concat([
    Buffer.from('prompt,completion\na,b\nc,'),
    Buffer.from([0xe9, 0x0a]),
  ]);
  expect(await failure('latin.csv', latin)).toContain(
    'latin.csv:3: expected UTF-8 text, found the byte 0xe9',
  );
});

test('rows with the wrong number of cells can be skipped', async () => {
  const path = write('skip.csv', 'prompt,completion\na,b\nc\nd,e\n');
  await using source = await openRows(path, { kind: 'completion', onBadRow: 'skip' });
  expect(source.length).toBe(2);
  expect(source.badRows.map((bad) => bad.line)).toEqual([3]);
  expect(await source.read(1)).toMatchObject({ prompt: 'd', completion: 'e' });
});

test('JSON in cells: messages and tools with their numbers as written', async () => {
  const messages = `[{"role": "user", "content": "Heat?"}, {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"t": 20.0}}]}]`;
  const content = `messages,tools,id\n${cell(messages)},${cell('[{"name": "f", "max": 20.0}]')},9007199254740993\n`;
  await using source = await openRows(write('json.csv', content), { kind: 'messages' });
  const row = await source.read(0);
  expect(row.messages[1]?.tool_calls).toEqual([
    { name: 'f', arguments: { t: new PythonFloat(20) } },
  ]);
  expect(row.rendering?.tools).toEqual([{ name: 'f', max: new PythonFloat(20) }]);
  expect(row.extra.id).toBe('9007199254740993');
});
