import { ChatTemplate } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { ToolCallReader } from './tool-call-reader.ts';
import { type ToolFormat, toolFormatOf } from './tool-formats.ts';

const formats = {
  hermes: toolFormatOf(new ChatTemplate("{{ '<tool_call>' }}"))!,
  mistral: toolFormatOf(new ChatTemplate("{{ '[TOOL_CALLS]' }}"))!,
  llama3: toolFormatOf(new ChatTemplate(`{{ '{"name": x, "parameters": y}<|eot_id|>' }}`))!,
};

/** The text and the calls, whatever pieces the text arrives in. */
function read(format: ToolFormat, text: string) {
  const all = [text.length, 1, 3].map((size) => {
    const reader = new ToolCallReader(format);
    let given = '';
    for (let at = 0; at < text.length; at += size) given += reader.push(text.slice(at, at + size));
    const end = reader.end();
    return { text: given + end.text, calls: end.calls };
  });
  for (const one of all) expect(one).toEqual(all[0]);
  return all[0]!;
}

const weather = { name: 'weather', arguments: '{"city":"Paris"}' };
const time = { name: 'time', arguments: '{}' };

describe('calls are separated from the text, in any pieces', () => {
  it.each([
    [
      'hermes',
      '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>',
      '',
    ],
    [
      'hermes',
      'Let me see.<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>',
      'Let me see.',
    ],
    ['mistral', '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Paris"}}]', ''],
    ['mistral', '[TOOL_CALLS]weather[ARGS]{"city": "Paris"}', ''],
    ['llama3', '{"name": "weather", "parameters": {"city": "Paris"}}', ''],
    ['llama3', '<|python_tag|>{"name": "weather", "parameters": {"city": "Paris"}}', ''],
  ] as const)('%s: %s', (name, text, rest) => {
    expect(read(formats[name], text)).toEqual({ text: rest, calls: [weather] });
  });

  it.each([
    [
      'hermes',
      '<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>\n<tool_call>{"name": "time", "arguments": {}}</tool_call>',
    ],
    [
      'mistral',
      '[TOOL_CALLS][{"name":"weather","arguments":{"city":"Paris"}},{"name":"time","arguments":{}}]',
    ],
    [
      'llama3',
      '{"name": "weather", "parameters": {"city": "Paris"}}; {"name": "time", "parameters": {}}',
    ],
  ] as const)('%s: several calls', (name, text) => {
    expect(read(formats[name], text)).toEqual({ text: '', calls: [weather, time] });
  });
});

it.each([
  ['hermes', 'a < b, and <tool> too'],
  ['hermes', '<tool_call>{"name": broken</tool_call>'],
  ['hermes', '<tool_call>{"arguments": {}}</tool_call>'],
  ['mistral', '[TOOL_CALLS]nothing'],
  ['llama3', '{"answer": 3}'],
  ['llama3', 'The object {"name": "weather", "parameters": {}} is a call.'],
  ['llama3', '{"name": "weather", "parameters": {}} and more'],
] as const)('what is no call stays text: %s %s', (name, text) => {
  expect(read(formats[name], text)).toEqual({ text, calls: [] });
});

it('knows the format by the template', () => {
  expect(Object.values(formats).map(({ name }) => name)).toEqual(['hermes', 'mistral', 'llama3']);
  expect(toolFormatOf(new ChatTemplate('{{ messages }}'))).toBeNull();
});
