import { PythonFloat } from '@keel/model';
import { describe, expect, test } from 'vitest';
import { parseRow } from './parse-row.ts';
import { rankingPairs } from './ranking-pairs.ts';
import { renderingColumns } from './rendering.ts';
import type { RowKind } from './rows.ts';

const place = { file: 'rows.jsonl', line: 3 };
const tool = { type: 'function', function: { name: 'forecast', parameters: { max: 20 } } };
const asked = [{ role: 'user', content: 'Rain?' }];
const [yes, no] = ['Yes.', 'No.'].map((content) => [{ role: 'assistant', content }]);
const rows: [RowKind, object][] = [
  ['messages', { messages: [...asked, ...yes!] }],
  ['supervised', { messages: [...asked, ...yes!] }],
  ['completion', { prompt: asked, completion: yes }],
  ['preference', { prompt: asked, chosen: yes, rejected: no }],
  ['preference', { chosen: [...asked, ...yes!], rejected: [...asked, ...no!] }],
  ['ranking', { prompt: asked, completions: [yes, no], scores: [2, 1] }],
  ['samples', { prompt: asked, completions: [yes] }],
  ['unpaired', { prompt: asked, completion: yes, label: true }],
  ['process', { prompt: asked, completions: ['a', 'b'], labels: [true, false] }],
  ['judged', { prompt: asked, chosen: yes, rejected: no }],
  ['prompt', { prompt: asked }],
];

test.each(
  rows,
)('a %s row has tools and variables, and keeps both columns for rewards', (kind, row) => {
  const columns = { tools: [tool], chat_template_kwargs: { enable_thinking: false, note: null } };
  const read = parseRow(kind, { ...row, ...columns }, place);
  expect(read.rendering).toEqual({ tools: [tool], variables: columns.chat_template_kwargs });
  expect(read.extra).toEqual(columns);
  expect(renderingColumns(read.rendering)).toEqual(columns);
});

test('both may be JSON text, whose floats stay floats', () => {
  const columns = {
    tools: '[{"name": "f", "max": 20.0}]',
    chat_template_kwargs: '{"budget": 1.0}',
  };
  expect(parseRow('prompt', { prompt: asked, ...columns }, place).rendering).toEqual({
    tools: [{ name: 'f', max: new PythonFloat(20) }],
    variables: { budget: new PythonFloat(1) },
  });
});

test.each([null, undefined, '', ' ', [], '[]', 'null'])('%j is no list of tools', (tools) => {
  if (tools === 'null') {
    expect(() => parseRow('prompt', { prompt: asked, tools }, place)).toThrow('field "tools"');
    return;
  }
  const row = parseRow('prompt', { prompt: asked, tools, chat_template_kwargs: {} }, place);
  expect(row).not.toHaveProperty('rendering');
  // A plain row may have the columns of a file whose other rows are chats.
  expect(parseRow('prompt', { prompt: 'Rain?', tools }, place)).not.toHaveProperty('rendering');
});

test('the pairs of a ranking have the rendering of the ranking', () => {
  const row = { prompt: asked, completions: [yes, no], scores: [2, 1], tools: [tool] };
  const [pair] = rankingPairs(parseRow('ranking', row, place), 'all');
  expect(pair?.rendering).toEqual({ tools: [tool], variables: {} });
});

describe('rejected columns', () => {
  test.each<[object, string]>([
    [
      { tools: 'forecast' },
      'field "tools": expected a list of tools, or such a list as JSON text, found a string ("forecast")',
    ],
    [
      { tools: 5 },
      'field "tools": expected a list of tools, or such a list as JSON text, found a number (5)',
    ],
    [{ tools: tool }, 'Put the tool in a list'],
    [{ tools: [tool, '{}'] }, 'field "tools[1]": expected a tool {"type": "function"'],
    [{ tools: [{ name: '\ud83d' }] }, 'field "tools": expected valid Unicode text'],
    [
      { chat_template_kwargs: [1] },
      'field "chat_template_kwargs": expected an object of template variables',
    ],
    [{ chat_template_kwargs: '{"a"' }, 'found a string ("{"a"")'],
    [
      { chat_template_kwargs: { tools: [] } },
      'field "chat_template_kwargs.tools": expected only variables of the chat template, found "tools"',
    ],
    [
      { chat_template_kwargs: { add_generation_prompt: false } },
      'field "chat_template_kwargs.add_generation_prompt"',
    ],
    [{ chat_template_kwargs: { tokenize: false } }, 'field "chat_template_kwargs.tokenize"'],
  ])('%j', (columns, message) => {
    expect(() => parseRow('prompt', { prompt: asked, ...columns }, place)).toThrow(message);
  });

  test.each<[RowKind, object]>([
    ['text', { text: 'a' }],
    ['completion', { prompt: 'a', completion: 'b' }],
    ['preference', { prompt: 'a', chosen: 'b', rejected: 'c' }],
  ])('a plain %s row with tools or variables, which would be dropped', (kind, row) => {
    expect(() => parseRow(kind, { ...row, tools: [tool] }, place)).toThrow(
      'rows.jsonl:3: field "tools": expected a chat, whose template uses this field, found a row of plain text. Write the row as messages, or remove the field',
    );
    expect(() => parseRow(kind, { ...row, chat_template_kwargs: { a: 1 } }, place)).toThrow(
      'field "chat_template_kwargs": expected a chat',
    );
  });
});
