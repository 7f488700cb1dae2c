import { PythonFloat } from '@keel/model';
import { describe, expect, test } from 'vitest';
import { isTrained } from './message-fields.ts';
import { asRead } from './messages.ts';
import { parseRow } from './parse-row.ts';

const place = { file: 'rows.jsonl', line: 3 };
const user = { role: 'user', content: 'Rain?' };
const read = (...messages: object[]) =>
  parseRow('messages', { messages: [user, ...messages] }, place).messages.slice(1);
const said = (content: string, fields: object = {}) => ({ role: 'assistant', content, ...fields });

describe('tool calls', () => {
  const call = (args: object, fields: object = {}) => ({
    ...{ role: 'assistant', content: '', ...fields },
    tool_calls: [{ id: '1', type: 'function', function: { name: 'f', ...args } }],
  });

  test.each<[unknown, object]>([
    [{ town: 'Oslo' }, { town: 'Oslo' }],
    ['{"town": "Oslo", "t": 20.0}', { town: 'Oslo', t: new PythonFloat(20) }],
    ['{"id": 9007199254740993, "n": null}', { id: 9007199254740993n, n: null }],
    ['', {}],
    [null, {}],
    [undefined, {}],
  ])('arguments %j', (given, expected) => {
    expect(read(call({ arguments: given }))).toEqual([call({ arguments: expected })]);
  });

  test.each([
    '',
    ' \n',
    null,
  ])('no arguments, %j, are {} for a template that takes text', (given) => {
    const turns = asRead(read(call({ arguments: given })));
    expect(turns).toEqual([call({ arguments: '{}' })]);
  });

  test('the short form without "function" is accepted', () => {
    const short = { role: 'assistant', tool_calls: [{ name: 'f', arguments: '{"a": 1}' }] };
    expect(read(short)).toEqual([{ ...short, tool_calls: [{ name: 'f', arguments: { a: 1 } }] }]);
  });

  test('an empty list of calls becomes absent', () => {
    expect(read(said('Yes.', { tool_calls: [] }), said('Yes.', { tool_calls: null }))).toEqual([
      said('Yes.'),
      said('Yes.'),
    ]);
  });

  test.each(['id', 'type', 'index'])('%s beside the function is no fault', (name) => {
    const [turn] = read({
      role: 'assistant',
      tool_calls: [{ [name]: null, function: { name: 'f' } }],
    });
    expect(turn?.tool_calls).toEqual([{ [name]: null, function: { name: 'f', arguments: {} } }]);
  });

  test("Llama's parameters are the arguments if there are no others", () => {
    const parameters = '{"town": "Oslo"}';
    const read1 = (given: object) => read(call(given));
    expect(read1({ parameters })).toEqual([call({ arguments: { town: 'Oslo' } })]);
    expect(read1({ parameters, arguments: null })).toEqual(read1({ parameters }));
    expect(read1({ parameters: {}, arguments: '{}' })[0]?.tool_calls).toMatchObject([
      { function: { arguments: {} } },
    ]);
    expect(() => read1({ parameters, arguments: { town: 'Rome' } })).toThrow(
      'tool_calls[0].function.parameters"',
    );
    expect(() => read1({ parameters: ['Oslo'] })).toThrow('tool_calls[0].function.parameters"');
  });

  test.each<[object, string]>([
    [{ function: { name: 'f', args: { a: 1 } } }, 'function.args'],
    [{ function: { name: 'f', input: { a: 1 } } }, 'function.input'],
    [{ function: { name: 'f', arguments: { a: 1 }, kwargs: { b: 1 } } }, 'function.kwargs'],
    [{ function: { name: 'f' }, arguments: '{"a": 1}' }, 'arguments'],
    [{ function: { name: 'f' }, parameters: { a: 1 } }, 'parameters'],
    [{ function: { name: 'f' }, name: 'g' }, 'name'],
    [{ name: 'f', args: { a: 1 }, id: 'x' }, 'args'],
    [{ name: 'f', arguments: {}, result: 5 }, 'result'],
  ])('a field of a call that no template shows: %j', (given, field) => {
    expect(() => read(said('', { tool_calls: [given] }))).toThrow(
      `field "messages[1].tool_calls[0].${field}"`,
    );
  });

  test.each<[object, string]>([
    [
      call({ arguments: 'Oslo' }),
      'field "messages[1].tool_calls[0].function.arguments": expected an object',
    ],
    [call({ arguments: '[1]' }), 'arguments": expected an object'],
    [call({ arguments: [1] }), 'arguments": expected an object'],
    [
      call({ name: '' }),
      'field "messages[1].tool_calls[0].function.name": expected the name of a function',
    ],
    [
      said('', { tool_calls: 'f()' }),
      'field "messages[1].tool_calls": expected a list of tool calls, found a string ("f()")',
    ],
    [
      said('', { tool_calls: ['f'] }),
      'field "messages[1].tool_calls[0]": expected a tool call {"type": "function"',
    ],
    [said('', { tool_calls: [{ id: '1' }] }), 'field "messages[1].tool_calls[0].function"'],
    [
      said('', { tool_calls: [{ type: 'custom', custom: {} }] }),
      'expected the tool call type "function", found a string ("custom")',
    ],
    [{ ...call({}), role: 'tool', content: 'x' }, 'field "messages[1].tool_calls": expected'],
  ])('%j', (message, expected) => {
    expect(() => read(message, said('Yes.'))).toThrow(expected);
  });
});

describe('turns that are not trained on', () => {
  test('weight 0 or 1 of OpenAI and Mistral, and the booleans of axolotl and ms-swift', () => {
    const turns = read(
      said('5', { weight: 0 }),
      said('6', { weight: new PythonFloat(0) }),
      said('7', { train: false }),
      said('8', { training: false }),
      said('9', { loss: false }),
      said('10', { masked: true }),
      said('4', { weight: 1, train: true }),
      said('4', { weight: null }),
    );
    expect(turns.map(isTrained)).toEqual([false, false, false, false, false, false, true, true]);
    expect(turns[1]?.weight).toBe(0);
  });

  test.each<[object[], string]>([
    [
      [said('5', { weight: 0.5 })],
      'field "messages[1].weight": expected 0 (not trained on) or 1 (trained on), found a number (0.5)',
    ],
    [[said('5', { weight: true })], 'field "messages[1].weight": expected 0'],
    [
      [said('5', { train: 'no' })],
      'field "messages[1].train": expected true or false, found a string ("no")',
    ],
    [
      [said('5', { weight: 1, train: false })],
      'field "messages[1].train": expected the same meaning as "weight"',
    ],
    [
      [{ ...user, weight: 1 }, said('4')],
      'field "messages[1].weight": expected 0 in a user message',
    ],
    [
      [said('5', { weight: 0 })],
      'field "messages": expected an assistant message to train on, found one ',
    ],
    [[said('5', { weight: 0 }), said('', { train: false })], 'field "messages": expected'],
  ])('%j', (messages, expected) => {
    expect(() => read(...messages)).toThrow(expected);
  });

  test('answers to compare or judge are used whole; a prompt may have such turns', () => {
    const prompt = [user, said('5', { weight: 0 }), user];
    const [chosen, rejected] = [[said('4')], [said('3', { weight: 0 })]];
    const fault = '[0]": expected an answer';
    const ranking = { prompt, completions: [chosen, rejected], scores: [1, 0] };
    expect(() => parseRow('preference', { prompt, chosen, rejected }, place)).toThrow(
      `"rejected${fault}`,
    );
    expect(() => parseRow('ranking', ranking, place)).toThrow(`"completions[1]${fault}`);
    expect(() =>
      parseRow('unpaired', { prompt, completion: rejected, label: true }, place),
    ).toThrow(`"completion${fault}`);
    expect(parseRow('unpaired', { prompt, completion: chosen, label: true }, place).prompt).toEqual(
      prompt,
    );
    expect(parseRow('completion', { prompt, completion: chosen }, place).prompt).toEqual(prompt);
    expect(() => parseRow('completion', { prompt, completion: rejected }, place)).toThrow(
      'field "completion": expected an assistant message to train on',
    );
  });
});

test.each<[object, string]>([
  [
    said('', { function_call: { name: 'f' } }),
    'field "messages[1].function_call": expected no such field, found an object with the fields name',
  ],
  [said('Yes.', { refusal: 'I cannot.' }), 'field "messages[1].refusal"'],
  [said('Yes.', { audio: { id: 'a' } }), 'field "messages[1].audio": expected text only'],
  [
    said('Yes.', { train_detail: [{ begin_offset: 0 }] }),
    'use "weight": 0 or 1, or split the turn',
  ],
  [
    said('Yes.', { reasoning_content: '\ud83d' }),
    'field "messages[1].reasoning_content": expected valid Unicode text',
  ],
  [
    { role: 'function', content: '5' },
    'field "messages[1].role": expected the role "tool", found a string ("function")',
  ],
  [
    { role: 'function_call', content: '{}' },
    'expected the role "assistant" and the field "tool_calls"',
  ],
  [
    { role: 'assistant', content: [{ type: 'text', text: 'Yes.', weight: 0 }] },
    'field "messages[1].content[0].weight"',
  ],
  [said('Yes.', { trainable: false }), 'field "messages[1].trainable"'],
  [said('Yes.', { loss_weight: new PythonFloat(0) }), 'field "messages[1].loss_weight"'],
  [said('Yes.', { mask: true }), 'field "messages[1].mask"'],
  [said('Yes.', { loss_mask: [0, 1] }), 'field "messages[1].loss_mask"'],
  [said('Yes.', { Weight: 0 }), 'field "messages[1].Weight"'],
  [said('Yes.', { is_trained: 'False' }), 'field "messages[1].is_trained"'],
  [said('Yes.', { toolCalls: [{ name: 'f' }] }), 'field "messages[1].toolCalls"'],
  [said('Yes.', { 'Reasoning-Content': 'Hm.' }), 'field "messages[1].Reasoning-Content"'],
])('a field whose meaning would be dropped: %j', (message, expected) => {
  expect(() => read(message, said('Yes.'))).toThrow(expected);
});

test('other fields are passed to the template, null or not', () => {
  const fields = {
    reasoning_content: 'Hm.',
    name: null,
    refusal: null,
    prefix: true,
    images: [],
    ...{ mask: null, toolCalls: [], training_set: 'A', Name: '' },
  };
  expect(read(said('Yes.', fields))).toEqual([said('Yes.', fields)]);
  expect(read({ role: 'developer', content: 'Be brief.' }, said('Yes.'))).toHaveLength(2);
});
