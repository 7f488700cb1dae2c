import { exactJson } from '@keel/model/exact-json';
import { expect, it } from 'vitest';
import { parseRow } from '../data/parse-row.ts';
import { asJsonText } from '../data/tool-calls.ts';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { pack, unpack } from '../tokenising/transfer.ts';
import { renderChat } from './chat-rendering.ts';

// As in the file, without a space after the comma.
const written = '{"c": "Paris","d": true}';
const messagesWith = (...all: unknown[]) =>
  parseRow(
    'messages',
    {
      messages: [
        { role: 'user', content: 'W?' },
        ...all.map((given) => ({
          role: 'assistant',
          tool_calls: [{ type: 'function', function: { name: 'f', arguments: given } }],
        })),
      ],
    },
    { file: 'rows.jsonl', line: 1 },
  ).messages;

/** The text that a template makes of arguments with this expression. */
const rendered = (expression: string, messages: ReturnType<typeof messagesWith>): string => {
  const source = `{%- for m in messages %}{% for t in m.tool_calls or [] %}{% set args = t.function.arguments %}${expression};{% endfor %}{% endfor %}`;
  return renderChat(tinyChatTokenizer(source), messages, undefined, 'whole').text;
};

// transformers 5.17 renders the same for the row's text, except for tojson: text again there.
it.each([
  ["{{ 'f' + args }}", `f${written};`],
  ["{{ args.replace('Paris', 'Rome') }}", written.replace('Paris', 'Rome').concat(';')],
  ['{{ args }}', `${written};`],
  ["{{ 'f' ~ args }}", `f${written};`],
  ['{{ args | tojson }}', '{"c": "Paris", "d": true};'],
  ['{% for k, v in args.items() %}{{ k }}={{ v }} {% endfor %}', 'c=Paris d=True ;'],
  ['{{ args if args is string else args | tojson }}', '{"c": "Paris", "d": true};'],
])('arguments written as JSON text, in a template with %s', (expression, expected) => {
  const messages = messagesWith(written);
  expect(rendered(expression, messages)).toBe(expected);
  // Other threads and written rows have the same text.
  const sent = unpack(structuredClone(pack(messages, []))) as typeof messages;
  expect(rendered(expression, sent)).toBe(expected);
  const row = JSON.parse(exactJson({ messages: messages.map((message) => asJsonText(message)) }));
  const again = parseRow('messages', row, { file: 'rows.jsonl', line: 1 }).messages;
  expect(rendered(expression, again)).toBe(expected);
});

it('calls without arguments are {}, also where the file has empty text', () => {
  expect(rendered("{{ 'f' + args }}", messagesWith(written, null, ''))).toBe(
    `f${written};f{};f{};`,
  );
});

it('an object for a template that takes text only is an error that says so', () => {
  const render = () => rendered("{{ 'f' + args }}", messagesWith(written, { c: 1 }));
  expect(render).toThrow(/can only concatenate str[\s\S]*"arguments": "/);
  expect(() => rendered("{{ raise_exception('no') }}", messagesWith({ c: 1 }))).toThrow(/no \(/);
  expect(rendered('{{ args }}', messagesWith({ c: 'x' }))).toBe("{'c': 'x'};");
});

it.each([
  'functions',
  'tools',
  'function_calls',
  'tool_call',
])('a message with "%s" needs a template that shows it', (name) => {
  const value = name === 'tools' ? [{ name: 'f' }] : '[{"name": "f"}]';
  const messages = [
    { role: 'system', content: 'Be kind.', [name]: value },
    { role: 'user', content: 'W?', [name]: name === 'tools' ? [] : 'null' },
  ];
  const silent = tinyChatTokenizer('{% for m in messages %}{{ m.content }}{% endfor %}');
  expect(() => renderChat(silent, messages, undefined, 'whole')).toThrow(
    new RegExp(`system message 1 .*"${name}"`),
  );
  const shows = tinyChatTokenizer(
    `{% for m in messages %}{{ m.content }}{{ m.${name} | tojson }}{% endfor %}`,
  );
  expect(renderChat(shows, messages, undefined, 'whole').text).toContain('name');
  const [, empty] = messages;
  expect(renderChat(silent, [empty!], undefined, 'whole').text).toBe('W?');
});
