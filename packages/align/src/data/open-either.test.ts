import { expect, test } from 'vitest';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openOneOf } from './open-either.ts';

const { write } = temporaryFiles();
const kinds = ['preference', 'ranking', 'supervised'] as const;
const fault = async (...rows: object[]) => {
  const path = write('rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return (await dataErrorOf(() => openOneOf({ data: [path], onBadRow: 'fail' }, kinds))).text;
};

test('a fault is reported for the kind whose fields the row has', async () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: '' },
  ];
  expect(await fault({ messages })).toContain(
    'rows.jsonl:1: field "messages": expected an answer with some text, found an empty assistant message',
  );
  expect(await fault({ prompt: 'a', completions: ['b', ''], scores: [1, 2] })).toContain(
    'field "completions[1]": expected some text',
  );
  const good = { prompt: 'a', chosen: 'b', rejected: 'c' };
  expect(await fault(good, { prompt: 'a', completion: 4 })).toContain('rows.jsonl:2: ');
});

test.each<[string, object]>([
  ['ranking', { ranking: [1, 2] }],
  ['ranking[1]', { ranking: [2, 1.5, 1] }],
  ['scores[0]', { scores: ['3', '1', '2'] }],
  ['labels', { labels: [true, false, true] }],
])('an invalid %s is an error, not a row of a kind without it', async (field, verdict) => {
  const row = { prompt: 'a', completions: ['x', 'yy', 'zzz'] };
  const good = { ...row, ranking: [1, 2, 3] };
  const judged = ['preference', 'ranking', 'samples', 'completion'] as const;
  for (const rows of [[{ ...row, ...verdict }, good], [{ ...row, ...verdict }]]) {
    const path = write('rows.jsonl', rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const open = (onBadRow: 'fail' | 'skip') => openOneOf({ data: [path], onBadRow }, judged);
    expect((await dataErrorOf(() => open('fail'))).error).toMatchObject({ line: 1, field });
    if (rows.length > 1) {
      await using source = await open('skip');
      expect(source).toMatchObject({ kind: 'ranking', length: 1, badRowCount: 1 });
    } else {
      expect((await dataErrorOf(() => open('skip'))).text).toContain(`field "${field}"`);
    }
  }
});

test('an invalid pair is an error, not a completion', async () => {
  const row = { prompt: 'a', chosen: 3, rejected: 'b', completion: 'c' };
  const path = write('rows.jsonl', `${JSON.stringify(row)}\n`);
  const open = () => openOneOf({ data: [path], onBadRow: 'fail' }, ['preference', 'completion']);
  expect((await dataErrorOf(open)).error).toMatchObject({ line: 1, field: 'chosen' });
});
