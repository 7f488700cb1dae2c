import { expect, test } from 'vitest';
import { parseRow } from './parse-row.ts';
import type { RowKind } from './rows.ts';

const place = { file: 'rows.jsonl', line: 3 };
const messages = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const pair = { prompt: 'a', chosen: 'b', rejected: 'c' };

test.each<[string, unknown, string]>([
  ['images', ['a.png'], 'found a list (["a.png"])'],
  ['image', new Uint8Array(3), 'field "image": expected text only'],
  ['system', 'Be brief.', 'found a string ("Be brief.")'],
  ['history', [['Hi', 'Hello']], 'field "history": expected'],
  ['history', '[["Hi", "Hello"]]', 'field "history": expected'],
  ['functions', [{ name: 'f' }], 'expected the column "tools" instead'],
  ['functions', '[{"name": "f"}]', 'expected the column "tools" instead'],
  ['functions', "[{'name': 'f'}]", 'expected the column "tools" instead'],
  ['input_ids', [1, 2], 'field "input_ids": expected'],
  ['ref_chosen_logps', -12.5, 'field "ref_chosen_logps": expected'],
  ['reference_rejected_logps', -3, 'field "reference_rejected_logps": expected no log-prob'],
  ['System', 'Be brief.', 'field "System": expected the system message'],
  ['systemPrompt', 'Be brief.', 'field "systemPrompt": expected the system message'],
  ['system_message', 'Be brief.', 'field "system_message": expected the system message'],
  ['Tools', [{ name: 'f' }], 'field "Tools": expected the field "tools"'],
  ['chatTemplateKwargs', { a: 1 }, 'field "chatTemplateKwargs": expected the field'],
  ['chat_template_args', { a: 1 }, 'field "chat_template_args": expected the column'],
  ['available_tools', [{ name: 'f' }], 'field "available_tools": expected the column "tools"'],
  ['Images', ['a.png'], 'field "Images": expected text only'],
  ['enable_thinking', false, 'Write {"enable_thinking": true} or false in "chat_template_kwargs"'],
])('the column %s is refused by name in every kind of row except plain text', (name, value, expected) => {
  for (const [kind, row] of [
    ['messages', { messages }],
    ['preference', pair],
    ['prompt', { prompt: 'a' }],
  ] as [RowKind, object][]) {
    expect(() => parseRow(kind, { ...row, [name]: value }, place)).toThrow(expected);
  }
  expect(parseRow('text', { text: 'a', [name]: value }, place).text).toBe('a');
});

test.each<[string, unknown]>([
  ['images', []],
  ['system', ''],
  ['system', null],
  ['history', 'long ago'],
  ['functions', ['f']],
  ['functions', '[]'],
  ['images', '[]'],
  ['history', 'None'],
  ['context', 'x'],
  ['parallel_tool_calls', false],
  ['System', ' '],
  ['available_tools', ['f']],
  ['chat_kwargs', {}],
  ['Label', false],
  ['Completion', 'a'],
  ['Instruction', 'a'],
  ['input', 'x'],
  ['solution', '42'],
])('the column %s with %j is kept', (name, value) => {
  const row = parseRow('prompt', { prompt: 'a', [name]: value }, place);
  expect(row.extra).toEqual({ [name]: value });
});

test('a system column that repeats the system message is accepted', () => {
  const system = 'Be brief.';
  const chat = [{ role: 'system', content: system }, ...messages];
  expect(() => parseRow('messages', { messages: chat, system }, place)).not.toThrow();
  expect(() => parseRow('prompt', { prompt: `${system}\n\nHi`, system }, place)).not.toThrow();
});

test.each<[RowKind, object, string]>([
  ['preference', { chosen: 'ab', rejected: 'ac', Prompt: 'a' }, 'Prompt'],
  ['preference', { ...pair, Margin: 2 }, 'Margin'],
  ['preference', { ...pair, 'score-chosen': 2 }, 'score-chosen'],
  ['unpaired', { prompt: 'a', completion: 'b', label: true, Label: false }, 'Label'],
  ['completion', { prompt: 'a', completion: 'b', Completion: 'c' }, 'Completion'],
])('a field of the %s row in another form: %j', (kind, row, field) => {
  expect(() => parseRow(kind, row, place)).toThrow(`rows.jsonl:3: field "${field}"`);
  const repeated = { [field]: (row as Record<string, unknown>)[field.toLowerCase()] };
  const same = parseRow(
    'unpaired',
    { prompt: 'a', completion: 'b', label: true, ...repeated },
    place,
  );
  expect(same).toMatchObject({ label: true });
});
