import { PythonFloat } from '@keel/model';
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { describe, expect, test } from 'vitest';
import { DataError } from './data-error.ts';
import { parseRow } from './parse-row.ts';
import { type RowKind, rowKinds } from './rows.ts';

const place = { file: 'pairs.jsonl', line: 17 };
const messageOf = (kind: RowKind, value: unknown): string => {
  try {
    parseRow(kind, value, place);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
  throw new Error(`expected a DataError, but the row was accepted: ${JSON.stringify(value)}`);
};
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const chat = { prompt: [user('Hi')], chosen: [assistant('Hello')], rejected: [assistant('Go')] };
const plain = { prompt: 'Hi', chosen: ' Hello', rejected: ' Go' };

describe('valid rows', () => {
  const good: Record<RowKind, unknown> = {
    text: { text: 'a' },
    messages: { messages: [user('a'), assistant('b')] },
    completion: { prompt: 'a', completion: 'b' },
    supervised: { text: 'a' },
    preference: plain,
    ranking: { prompt: 'a', completions: ['b', 'c'], scores: [1, 2] },
    samples: { prompt: 'a', completions: ['b'] },
    unpaired: { prompt: 'a', completion: 'b', label: true },
    process: { prompt: 'a', completions: ['b', 'c'], labels: [true, false] },
    judged: plain,
    prompt: { prompt: 'a' },
  };
  test.each(rowKinds)('%s', (kind) => {
    expect(parseRow(kind, good[kind], place).extra).toEqual({});
  });

  test('a supervised row is of the kind whose field it has', () => {
    const messages = [user('a'), assistant('b')];
    const whole = { messages, prompt: 'a', prompt_id: '7', text: null };
    expect(parseRow('supervised', whole, place)).toEqual({
      messages,
      extra: { prompt: 'a', prompt_id: '7', text: null },
    });
    const pair = { prompt: 'a', completion: 'b', extra: {} };
    expect(parseRow('supervised', { prompt: 'a', completion: 'b' }, place)).toEqual(pair);
    expect(parseRow('supervised', { text: 'a' }, place)).toEqual({ text: 'a', extra: {} });
  });

  test('an invalid supervised row is reported as one of its kind', () => {
    expect(messageOf('supervised', { completion: 'b' })).toBe(
      'pairs.jsonl:17: field "prompt": expected a string or a list of messages, found nothing. A completion row needs it; this row has "completion"',
    );
    expect(messageOf('supervised', { messages: [user('a')] })).toContain(
      'field "messages": expected a message with the role "assistant"',
    );
    expect(messageOf('supervised', plain)).toMatch(
      /^pairs\.jsonl:17: expected an object with "messages", with "prompt" and "completion", or with "text", found an object with the fields prompt, chosen, rejected\. .*keel dpo$/,
    );
  });

  test('a preference row keeps margin and scores and sets unknown fields aside', () => {
    const value = {
      ...plain,
      margin: 0.5,
      score_chosen: 9,
      score_rejected: null,
      id: 7,
      tags: ['x'],
    };
    expect(parseRow('preference', value, place)).toEqual({
      ...plain,
      margin: 0.5,
      score_chosen: 9,
      extra: { id: 7, tags: ['x'] },
    });
  });

  test('messages keep their fields in the order of the file, nulls too, and join text parts', () => {
    const tool_calls = [{ id: '1', type: 'function', function: { name: 'clock', arguments: {} } }];
    const call = { role: 'assistant', content: null, tool_calls, name: null };
    const bare = { tool_calls, role: 'assistant' };
    const answer = { content: '12:00', role: 'tool', tool_call_id: '1', name: 'clock' };
    const parts = assistant([
      { type: 'text', text: 'It is ' },
      { type: 'text', text: 'noon.' },
    ]);
    const messages = [user('Time?'), call, answer, bare, answer, parts];
    const row = parseRow('messages', { messages }, place);
    expect(row.messages).toEqual([...messages.slice(0, -1), assistant('It is noon.')]);
    expect(row.messages.map((message) => Object.keys(message).join())).toEqual(
      messages.map((message) => Object.keys(message).join()),
    );
  });

  test('whole floats stay floats in messages and are plain numbers in other fields', () => {
    const text = `{
      "messages": [
        {"role": "user", "content": "Heat?"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "heat", "arguments": {"t": 20.0, "n": null}}}]}
      ],
      "answer": 20.0, "id": 18446744073709551617, "nested": {"list": [1.0, 2]}
    }`;
    const row = parseRow('messages', parseExactJson(text), place);
    expect(row.messages[1]?.tool_calls).toEqual([
      { function: { name: 'heat', arguments: { t: new PythonFloat(20), n: null } } },
    ]);
    expect(row.extra).toEqual({ answer: 20, id: 18446744073709551617n, nested: { list: [1, 2] } });
  });

  test('fields that are numbers stay in their places', () => {
    const args = '{"title":"Sales","2024":7.0,"2023":5}';
    const call = (form: string) =>
      `{"role":"assistant","tool_calls":[{"index":1,"id":"2","function":{"name":"plot","arguments":${form}}}]}`;
    const messages = `[{"role":"user","content":"a","z":1,"5":2},${call(args)},${call(JSON.stringify(args))}]`;
    const tools = '[{"name":"plot","parameters":{"title":{},"10":{},"9":{}}}]';
    const variables = '{"years":{"b":1,"1":2}}';
    const text = `{"messages":${messages},"tools":${tools},"chat_template_kwargs":${variables}}`;
    const row = parseRow('messages', parseExactJson(text), place);
    expect(exactJson(row.messages)).toBe(
      `[{"role":"user","content":"a","z":1,"5":2},${call(args)},${call(args)}]`,
    );
    expect(exactJson(row.rendering)).toBe(`{"tools":${tools},"variables":${variables}}`);
    const asText = JSON.stringify({ messages: [user('a'), assistant('b')], tools });
    expect(exactJson(parseRow('messages', parseExactJson(asText), place).rendering)).toBe(
      `{"tools":${tools},"variables":{}}`,
    );
  });

  test('margins and scores may be written in any form of number', () => {
    const row = { ...plain, margin: new PythonFloat(2), score_chosen: 2n ** 60n };
    expect(parseRow('preference', row, place)).toEqual({
      ...{ ...plain, margin: 2, score_chosen: 2 ** 60, extra: {} },
    });
    const ranking = {
      prompt: 'a',
      completions: ['b', 'c'],
      scores: [new PythonFloat(9), 2n ** 60n],
    };
    expect(parseRow('ranking', ranking, place).ranks).toEqual([2, 1]);
  });

  test('an implicit prompt is split off', () => {
    const { prompt } = chat;
    const whole = { chosen: [...prompt, ...chat.chosen], rejected: [...prompt, ...chat.rejected] };
    expect(parseRow('preference', whole, place)).toEqual({ ...chat, extra: {} });
    const texts = { chosen: 'The sky is blue.', rejected: 'The sky is green.' };
    expect(parseRow('preference', { ...texts, prompt: null }, place)).toMatchObject({
      prompt: 'The sky is',
      chosen: ' blue.',
      rejected: ' green.',
    });
  });

  test('a plain prompt that repeats the last question of two whole chats is replaced by their common messages', () => {
    const { prompt } = chat;
    const whole = { chosen: [...prompt, ...chat.chosen], rejected: [...prompt, ...chat.rejected] };
    expect(parseRow('preference', { prompt: 'Hi', ...whole }, place)).toEqual({
      ...chat,
      extra: {},
    });
    expect(messageOf('preference', { prompt: 'Other', ...whole })).toContain('"prompt"');
  });

  test('ranks are dense and 1 is best, from ranking or from scores', () => {
    const base = { prompt: 'a', completions: ['b', 'c', 'd', 'e'] };
    const ranks = (fields: object) => parseRow('ranking', { ...base, ...fields }, place).ranks;
    expect(ranks({ ranking: [0, 3, 3, 9] })).toEqual([1, 2, 2, 3]);
    expect(ranks({ scores: [0.1, 0.9, 0.9, -4] })).toEqual([2, 1, 1, 3]);
  });

  test('labels may be 0 and 1', () => {
    const row = { prompt: 'a', completion: 'b', label: 0 };
    expect(parseRow('unpaired', row, place).label).toBe(false);
    const steps = { prompt: 'a', completions: ['b', 'c'], labels: [1, 0] };
    expect(parseRow('process', steps, place).labels).toEqual([true, false]);
  });
});

describe('errors of invalid rows say where, what and why', () => {
  test('the message as a whole', () => {
    expect(messageOf('preference', { ...plain, chosen: 3 })).toBe(
      'pairs.jsonl:17: field "chosen": expected a string or a list of messages, found a number (3)',
    );
  });

  test('the parts of the error', () => {
    try {
      parseRow('preference', { ...plain, chosen: null }, { file: 'a.parquet', row: 4 });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ file: 'a.parquet', row: 4, field: 'chosen', found: 'null' });
      expect((error as Error).message).toMatch(/^a\.parquet, row 4: field "chosen"/);
    }
  });

  test.each<[string, RowKind, unknown, string]>([
    [
      'no object',
      'preference',
      [1],
      'expected an object with the fields of a pair, found a list ([1])',
    ],
    ['encoded twice', 'preference', JSON.stringify(plain), 'the row was encoded twice'],
    [
      'missing field',
      'preference',
      { prompt: 'a', answer: 'b' },
      'field "chosen": expected a string or a list of messages, found nothing. A pair needs it; this row has "prompt", "answer"',
    ],
    [
      'mixed answers',
      'preference',
      { ...chat, rejected: 'Go' },
      'field "rejected": expected a list of messages, like "chosen", found a string ("Go")',
    ],
    [
      'mixed prompt',
      'preference',
      { ...chat, prompt: 'Bye' },
      'field "chosen": expected a string, like "prompt"',
    ],
    [
      'mixed completion',
      'completion',
      { prompt: 'a', completion: [assistant('b')] },
      'field "completion": expected a string, like "prompt"',
    ],
    [
      'empty chosen',
      'preference',
      { ...plain, chosen: '' },
      'field "chosen": expected some text, found an empty string',
    ],
    [
      'empty rejected',
      'preference',
      { ...chat, rejected: [assistant('')] },
      'field "rejected": expected an answer with some text, found an empty assistant message',
    ],
    [
      'empty list',
      'preference',
      { ...chat, chosen: [] },
      'field "chosen": expected a list of at least one message, found an empty list',
    ],
    [
      'no assistant',
      'preference',
      { ...chat, chosen: [user('x')] },
      'expected a message with the role "assistant", found only the roles "user"',
    ],
    [
      'identical',
      'preference',
      { ...plain, rejected: plain.chosen },
      'field "rejected": chosen and rejected are identical',
    ],
    [
      'identical chats',
      'preference',
      { ...chat, rejected: chat.chosen },
      'chosen and rejected are identical',
    ],
    [
      'chats that differ in null fields only',
      'preference',
      { ...chat, rejected: [{ ...chat.chosen[0], name: null, tool_calls: [] }] },
      'chosen and rejected are identical',
    ],
    [
      'an empty list of tool calls',
      'preference',
      { ...chat, rejected: [{ ...assistant(''), tool_calls: [] }] },
      'field "rejected": expected an answer with some text, found an empty assistant message',
    ],
    [
      'no content, and no tool calls',
      'preference',
      { ...chat, rejected: [{ ...assistant(null), tool_calls: null }] },
      'field "rejected[0].content": expected a string, found null',
    ],
    [
      'a rank beyond all numbers',
      'ranking',
      { prompt: 'a', completions: ['b', 'c'], ranking: [1, 2n ** 60n] },
      'field "ranking[1]": expected a rank: a whole number, 1 for the best, found a number (1152921504606846976)',
    ],
    ['no shared prompt', 'preference', { chosen: 'a', rejected: 'b' }, 'Add the field "prompt"'],
    [
      'repeated prompt',
      'preference',
      { ...chat, chosen: [...chat.prompt, ...chat.chosen] },
      'field "chosen": expected the answer alone',
    ],
    [
      'an answer that starts with another role',
      'preference',
      { ...chat, chosen: [{ role: 'user', content: 'and then?' }, ...chat.chosen] },
      'field "chosen": expected an answer that starts with an assistant message, found one that starts with a "user" message',
    ],
    [
      'ShareGPT',
      'messages',
      { messages: [{ from: 'human', value: 'x' }] },
      'field "messages[0].role": expected a role such as "user" or "assistant", found nothing. This is the ShareGPT form',
    ],
    [
      'foreign role',
      'messages',
      { messages: [{ role: 'gpt', content: 'x' }] },
      'expected the role "assistant", found a string ("gpt")',
    ],
    [
      'capital role',
      'messages',
      { messages: [{ role: 'User', content: 'x' }] },
      'expected the role "user"',
    ],
    [
      'missing content',
      'preference',
      { ...chat, chosen: [{ role: 'assistant' }] },
      'field "chosen[0].content": expected a string, found nothing',
    ],
    [
      'content number',
      'preference',
      { ...chat, chosen: [assistant(4)] },
      'field "chosen[0].content": expected a string or a list of {"type": "text", "text": …} parts, found a number (4)',
    ],
    [
      'image part',
      'messages',
      { messages: [user([{ type: 'image' }])] },
      'expected the part type "text"',
    ],
    [
      'chat as JSON string',
      'preference',
      { ...chat, chosen: JSON.stringify(chat.chosen) },
      'field "chosen": expected a list of messages, not a string',
    ],
    [
      'chat as Python text',
      'completion',
      { prompt: 'a', completion: "[{'role': 'assistant', 'content': 'b'}]" },
      'field "completion": expected a list of messages, not a string',
    ],
    [
      'NaN margin',
      'preference',
      { ...plain, margin: Number.NaN },
      'field "margin": expected a finite number, found NaN',
    ],
    [
      'infinite score',
      'preference',
      { ...plain, score_chosen: Number.POSITIVE_INFINITY },
      'field "score_chosen": expected a finite number, found Infinity',
    ],
    [
      'number as string',
      'preference',
      { ...plain, margin: '0.5' },
      'found a string ("0.5"). Write the number without quotes',
    ],
    [
      'label as string',
      'unpaired',
      { prompt: 'a', completion: 'b', label: '1' },
      'field "label": expected true or false, found a string ("1"). Write true or false without quotes',
    ],
    [
      'label as a word',
      'unpaired',
      { prompt: 'a', completion: 'b', label: 'good' },
      'found a string ("good"). Write true for a good answer and false for a bad one',
    ],
    [
      'label as score',
      'unpaired',
      { prompt: 'a', completion: 'b', label: 3 },
      'field "label": expected true or false, found a number (3)',
    ],
    [
      'labels short',
      'process',
      { prompt: 'a', completions: ['b', 'c'], labels: [true] },
      'field "labels": expected one entry for each of the 2 completions, found 1',
    ],
    [
      'one to rank',
      'ranking',
      { prompt: 'a', completions: ['b'], scores: [1] },
      'expected at least two answers to rank',
    ],
    [
      'no ranking',
      'ranking',
      { prompt: 'a', completions: ['b', 'c'] },
      'expected a list of ranks (or of "scores"), found nothing',
    ],
    [
      'half a rank',
      'ranking',
      { prompt: 'a', completions: ['b', 'c'], ranking: [1, 1.5] },
      'field "ranking[1]": expected a rank',
    ],
    [
      'empty prompt',
      'prompt',
      { prompt: '' },
      'field "prompt": expected a prompt, found an empty string',
    ],
    ['lone surrogate', 'text', { text: 'a\ud83d' }, 'lone surrogate'],
    [
      'lone surrogate in the JSON text of arguments',
      'messages',
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', tool_calls: [{ name: 'f', arguments: '{"a": "\\ud83d"}' }] },
        ],
      },
      'arguments": expected valid Unicode text',
    ],
  ])('%s', (_name, kind, value, expected) => {
    expect(messageOf(kind, value)).toContain(expected);
  });

  test('long values are shortened', () => {
    expect(messageOf('preference', { ...plain, margin: 'x'.repeat(5000) }).length).toBeLessThan(
      200,
    );
  });

  test('an unknown kind is named', () => {
    expect(() => parseRow('pairs' as RowKind, {}, place)).toThrow(/"pairs".*text, messages/);
  });
});

describe('a question in a column that pairs do not have', () => {
  const answers = { chosen: 'The city is Paris.', rejected: 'The town is Hm.' };
  test.each([
    ['question', 'Name a city.'],
    ['instruction', 'Name a city.'],
    ['query', 'Name a city.'],
    ['problem', 'Name a city.'],
    ['conversations', [{ from: 'human', value: 'Name a city.' }]],
    ['messages', [{ role: 'user', content: 'Name a city.' }]],
    ['context', [{ role: 'user', content: 'Name a city.' }]],
  ])('is not dropped: %s', (column, question) => {
    const row = { ...answers, [column]: question };
    expect(() => parseRow('preference', row, place)).toThrow(
      new RegExp(`"prompt".*"${column}".*Rename "${column}"`, 's'),
    );
    expect(() => parseRow('judged', row, place)).toThrow(`"${column}"`);
  });

  test('an empty one, another column, or a prompt in both answers is no question', () => {
    const split = { prompt: 'The', chosen: ' city is Paris.', rejected: ' town is Hm.' };
    expect(parseRow('preference', answers, place)).toMatchObject(split);
    expect(parseRow('preference', { ...answers, question: '', source: 'x' }, place)).toMatchObject(
      split,
    );
    const chats = Object.fromEntries(
      Object.entries(answers).map(([side, content]) => [
        side,
        [
          { role: 'user', content: 'Name a city.' },
          { role: 'assistant', content },
        ],
      ]),
    );
    expect(parseRow('preference', { ...chats, question: 'Name a city.' }, place)).toMatchObject({
      prompt: [{ role: 'user', content: 'Name a city.' }],
    });
  });
});
