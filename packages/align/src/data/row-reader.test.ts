// --columns and --wrap-chat: names of columns, and chats of plain rows.
import { describe, expect, test } from 'vitest';
import type { RowReading } from '../config/row-options.ts';
import { columnsOption, rowFields } from '../config/row-options.ts';
import { DataError } from './data-error.ts';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import { type RowKind, rowSchemas } from './rows.ts';

const { write } = temporaryFiles();

const jsonl = (rows: readonly unknown[]): string =>
  write('rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

async function read(kind: RowKind, path: string, how: RowReading) {
  await using source = await openRows(path, { kind, ...how });
  const rows = [];
  for await (const row of source.iterate()) rows.push(row);
  expect(await source.readMany(rows.map((_, at) => at))).toEqual(rows);
  return { rows, plainCount: source.plainCount, fingerprint: await source.fingerprint() };
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

test('the names in options are those of the schemas', () => {
  const known = Object.values(rowSchemas).flatMap(({ shape }) => Object.keys(shape));
  const rendering = ['tools', 'chat_template_kwargs'];
  expect([...rowFields].sort()).toEqual([...new Set([...known, ...rendering])].sort());
});

describe('--columns', () => {
  const columns = ['prompt=question', 'chosen=good', 'rejected=bad'];

  test('renames columns; others are passed on', async () => {
    const path = jsonl([{ question: 'a', good: 'b', bad: 'c', id: 1 }]);
    const { rows } = await read('preference', path, { columns });
    expect(rows).toEqual([{ prompt: 'a', chosen: 'b', rejected: 'c', extra: { id: 1 } }]);
  });

  test('reads cells of CSV as the fields that they become', async () => {
    const chat = '"[{""role"": ""user"", ""content"": ""a""}]"';
    const path = write(
      'rows.csv',
      `frage,antwort,gut\n${chat},"[{""role"": ""assistant"", ""content"": ""b""}]",1.0\n`,
    );
    const { rows } = await read('unpaired', path, {
      columns: ['prompt=frage', 'completion=antwort', 'label=gut'],
    });
    expect(rows).toMatchObject([
      { prompt: [user('a')], completion: [assistant('b')], label: true },
    ]);
  });

  test('can swap two columns', async () => {
    const path = jsonl([{ prompt: 'a', chosen: 'b', rejected: 'c' }]);
    const { rows } = await read('preference', path, {
      columns: ['chosen=rejected', 'rejected=chosen'],
    });
    expect(rows).toMatchObject([{ chosen: 'c', rejected: 'b' }]);
  });

  test('is part of the fingerprint', async () => {
    const path = jsonl([{ prompt: 'a', chosen: 'b', rejected: 'c' }]);
    const plain = (await read('preference', path, {})).fingerprint;
    const swapped = await read('preference', path, {
      columns: ['chosen=rejected', 'rejected=chosen'],
    });
    const wrapped = await read('preference', path, { wrapChat: true });
    expect(new Set([plain, swapped.fingerprint, wrapped.fingerprint]).size).toBe(3);
    expect((await read('preference', path, { columns: null, wrapChat: false })).fingerprint).toBe(
      plain,
    );
  });

  test('a column that no row has is an error with the nearest one', async () => {
    const path = jsonl([{ question: 'a', godo: 'b', bad: 'c' }]);
    const { error, text } = await dataErrorOf(() =>
      openRows(path, { kind: 'preference', columns }),
    );
    expect(error).toBeInstanceOf(DataError);
    expect(text).toMatch(/"good".*chosen=good.*question, godo, bad.*chosen=godo/s);
  });

  test('files that have the fields by name need no column', async () => {
    const path = jsonl([{ prompt: 'a', chosen: 'b', rejected: 'c' }]);
    expect((await read('preference', path, { columns })).rows).toHaveLength(1);
  });

  test('a row with both the column and the field is an error', async () => {
    const path = jsonl([{ question: 'a', prompt: 'x', good: 'b', bad: 'c' }]);
    const { error } = await dataErrorOf(() => openRows(path, { kind: 'preference', columns }));
    expect(error).toMatchObject({ line: 1, field: 'prompt' });
    expect(error.message).toContain('"question"');
  });

  test.each([
    ['promt=question', /"promt".*"prompt"/s],
    ['good=chosen', /chosen=good/],
    ['chosen', /field=column/],
    ['chosen=', /field=column/],
  ])('%s is refused', (text, message) => {
    const { success, error } = columnsOption('Model and data').safeParse([text]);
    expect(success).toBe(false);
    expect(error!.issues[0]!.message).toMatch(message);
  });

  test('a field or a column that is named twice is refused', () => {
    const schema = columnsOption('Model and data');
    expect(schema.safeParse(['chosen=a', 'chosen=b']).success).toBe(false);
    expect(schema.safeParse(['chosen=a', 'rejected=a']).success).toBe(false);
  });
});

describe('--wrap-chat', () => {
  const how = { wrapChat: true };

  test.each<[RowKind, object, object]>([
    ['prompt', { prompt: 'a' }, { prompt: [user('a')] }],
    ['supervised', { prompt: 'a', completion: 'b' }, { completion: [assistant('b')] }],
    ['unpaired', { prompt: 'a', completion: 'b', label: 1 }, { completion: [assistant('b')] }],
    [
      'preference',
      { prompt: 'a', chosen: 'b', rejected: 'c' },
      { prompt: [user('a')], chosen: [assistant('b')], rejected: [assistant('c')] },
    ],
    [
      'ranking',
      { prompt: 'a', completions: ['b', 'c'], scores: [1, 2] },
      { completions: [[assistant('b')], [assistant('c')]] },
    ],
  ])('of a %s row %j', async (kind, row, expected) => {
    expect((await read(kind, jsonl([row]), how)).rows).toMatchObject([expected]);
  });

  test('changes no chat', async () => {
    const row = { prompt: [user('a')], completion: [assistant('b')] };
    const path = jsonl([row]);
    expect((await read('supervised', path, how)).rows).toEqual(
      (await read('supervised', path, {})).rows,
    );
  });

  test.each<[RowKind, object, string]>([
    ['supervised', { text: 'a' }, 'text'],
    ['supervised', { text: 'a', prompt: 'b' }, 'text'],
    ['process', { prompt: 'a', completions: ['b'], labels: [true] }, 'labels'],
    ['preference', { chosen: 'ab', rejected: 'ac' }, 'chosen'],
    ['supervised', { prompt: ' ', completion: 'a' }, 'prompt'],
  ])('is refused for a %s row %j', async (kind, row, field) => {
    const { error } = await dataErrorOf(() => openRows(jsonl([row]), { kind, ...how }));
    expect(error).toMatchObject({ line: 1, field });
    expect(error.message).toContain('--wrap-chat');
  });

  test('a column "text" next to a prompt alone is for rewards', async () => {
    const { rows } = await read('prompt', jsonl([{ prompt: 'a', text: 'b' }]), how);
    expect(rows).toEqual([{ prompt: [user('a')], extra: { text: 'b' } }]);
  });

  test('does not change the prompt that repeats the question of two whole chats', async () => {
    const answer = (text: string) => [user('a'), assistant(text)];
    const path = jsonl([{ prompt: 'a', chosen: answer('b'), rejected: answer('c') }]);
    expect((await read('preference', path, how)).rows).toEqual(
      (await read('preference', path, {})).rows,
    );
  });

  test('plain rows are counted', async () => {
    const rows = [{ prompt: 'a' }, { prompt: [user('b')] }, { prompt: 'c' }];
    const path = jsonl(rows);
    expect((await read('prompt', path, {})).plainCount).toBe(2);
    expect((await read('prompt', path, how)).plainCount).toBe(0);
  });
});
