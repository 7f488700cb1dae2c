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
