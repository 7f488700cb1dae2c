import { describe, expect, it } from 'vitest';
import { PythonFloat } from '../jinja/values.ts';
import { type ChatMessage, ChatTemplate, ChatTemplateError } from './chat-template.ts';

const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('ChatTemplate', () => {
  const template = new ChatTemplate(chatml);

  it('renders with and without the generation prompt', () => {
    expect(template.render([user('hi')])).toBe('<|im_start|>user\nhi<|im_end|>\n');
    expect(template.render([user('hi')], { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('a template that moves the marker of a continued message itself continues it there', () => {
    // As TRL's templates of LFM2.5-VL: what follows the text belongs to the message too.
    const tag = "'CONTINUE_FINAL_MESSAGE_TAG '";
    const template = new ChatTemplate(
      `{% for m in messages %}[{% set c = m.content %}{% set tagged = c.endswith(${tag}) %}` +
        `{% if tagged %}{% set c = c[:-27] %}{% endif %}{{ c }}{{ m.more }}` +
        `{% if tagged %}{{ ${tag} }}{% endif %}]{% endfor %}`,
    );
    const turns = [
      { role: 'user', content: 'Who?' },
      { role: 'assistant', content: 'It is', more: '<f>' },
    ];
    expect(template.render(turns, { continueFinalMessage: true })).toBe('[Who?][It is<f>');
    expect(template.render(turns)).toBe('[Who?][It is<f>]');
  });

  it('stops after the last words if they are to be continued', () => {
    const messages = [user('hi there '), assistant('hi there ')];
    expect(template.render(messages, { continueFinalMessage: true })).toBe(
      '<|im_start|>user\nhi there <|im_end|>\n<|im_start|>assistant\nhi there ',
    );
    const trimming = new ChatTemplate(
      chatml.replace("message['content']", "message['content'] | trim"),
    );
    expect(trimming.render(messages, { continueFinalMessage: true })).toBe(
      '<|im_start|>user\nhi there<|im_end|>\n<|im_start|>assistant\nhi there',
    );
    expect(() =>
      template.render(messages, { continueFinalMessage: true, addGenerationPrompt: true }),
    ).toThrow(/cannot be combined/);
    expect(template.render([assistant(' ')], { continueFinalMessage: true })).toBe(
      '<|im_start|>assistant\n ',
    );
    expect(() => template.render([{ role: 'assistant' }], { continueFinalMessage: true })).toThrow(
      'The last message (assistant) cannot be continued: it has no "content"',
    );
  });

  it('passes special tokens, tools and further variables', () => {
    const all = new ChatTemplate(
      '{{ bos_token }}{% if tools is not none %}{{ tools | tojson }}{% endif %}{{ mode }}{% if documents is none %}.{% endif %}{{ eos_token }}',
      { bos_token: '<s>' },
    );
    expect(all.render([user('')], { tools: [{ name: 'f' }], variables: { mode: 'fast' } })).toBe(
      '<s>[{"name": "f"}]fast.',
    );
    expect(all.render([user('')])).toBe('<s>.');
  });

  it('trims blocks as transformers does', () => {
    const blocks = new ChatTemplate(
      '{% for message in messages %}\n    {% if true %}\nx\n    {% endif %}\n{% endfor %}\n',
    );
    expect(blocks.render([user('a'), user('b')])).toBe('x\nx\n');
  });

  it('turns the template’s own refusal into an error', () => {
    const strict = new ChatTemplate(
      "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}",
    );
    expect(() => strict.render([{ role: 'system', content: 'x' }])).toThrow(ChatTemplateError);
    expect(() => strict.render([{ role: 'system', content: 'x' }, user('a')])).toThrow(
      /the roles system, user: System role not supported \(line 1 of the template\)/,
    );
  });

  it('refuses a broken template on creation, with the position', () => {
    expect(() => new ChatTemplate('{{ bos_token }}\n{% for %}')).toThrow(
      "The chat template cannot be used: line 2, column 8: Expected an expression, got 'end of statement block'\n" +
        '  {% for %}\n' +
        '         ^',
    );
    const long = `${'x'.repeat(500)}{{ messages | shuffle }}${'y'.repeat(500)}`;
    const name = { source: 'a/tokenizer.json' };
    expect(() => new ChatTemplate({ tool_use: long }, {}, name)).toThrow(
      /"tool_use" of a\/tokenizer.json .* line 1, column 515: No filter named 'shuffle'.\n {2}…x{36}/,
    );
  });

  it.each([
    [
      "{% include 'x' %}",
      "the tag 'include' is not supported: chat templates cannot load other templates",
    ],
    ['{% if false %}{{ 1 | nope }}{% endif %}', "No filter named 'nope'."],
    ['{% if false %}{{ 1 is nope }}{% endif %}', "No test named 'nope'."],
    ["{{ messages | map('nope') | list }}", "No filter named 'nope'."],
    ['{% if false %}{{ helper(1) }}{% endif %}', "there is no function named 'helper'"],
    ['{{ messages | random }}', "the filter 'random' is not supported: its result is random"],
    ['{% do x %}', "Encountered unknown tag 'do'."],
    ['{% break %}', "'break' outside of a loop"],
  ])('refuses %s on creation', (source, message) => {
    expect(() => new ChatTemplate(source)).toThrow(message);
  });

  it.each([
    "{% if 'nope' is filter %}{{ 1 | nope }}{% endif %}-",
    '{% if helper is defined %}{{ helper(1) }}{% endif %}-',
  ])('accepts %s, which tests first', (source) => {
    expect(new ChatTemplate(source).render([user('a')])).toBe('-');
  });

  it.each([
    [
      '\n{{ messages[0].nothing.x }}',
      /UndefinedError: 'dict object' has no attribute 'nothing' \(line 2 of the template, column 23\)/,
    ],
    [
      '{{ messages.append(1) }}',
      /SecurityError: access to attribute 'append' of 'list' object is unsafe\. \(line 1/,
    ],
    ["{{ 'a'.encode() }}", /str\.encode\(\) gives bytes, which are not supported \(line 1/],
    ["{{ 'a' + 1 }}", /TypeError: can only concatenate str \(not "int"\) to str/],
    ["{{ messages | map('upper') }}", /a generator cannot be printed: .*Add the filter `list`/],
    ['{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}', /RecursionError/],
  ])('reports what went wrong in %s, and where', (source, message) => {
    expect(() => new ChatTemplate(source).render([user('a')])).toThrow(message);
  });

  it('requires messages with roles', () => {
    expect(() => template.render([])).toThrow(/at least one message/);
    expect(() => template.render([{ content: 'x' } as never])).toThrow(/Message 0 has no role/);
  });
});

describe('a chat template with settings', () => {
  const tools = [{ type: 'function', function: { name: 'f' } }];

  it('uses tool_use for a conversation with tools, else the default', () => {
    const both = new ChatTemplate({ default: 'plain', tool_use: '{{ tools | length }} tools' });
    expect(both.render([user('a')])).toBe('plain');
    expect(both.render([user('a')], { tools })).toBe('1 tools');
    expect(both.render([user('a')], { tools: [] })).toBe('0 tools');
    expect(new ChatTemplate({ default: 'plain' }).render([user('a')], { tools })).toBe('plain');
    const rag = new ChatTemplate({ rag: 'x', other: 'y' });
    expect(() => rag.render([user('a')])).toThrow(
      'The model has named chat templates (other, rag) but no default',
    );
  });

  it('has its own variables, which those of a conversation override', () => {
    const template = new ChatTemplate(
      '{{ bos_token }}{{ a }}{{ b }}{{ whole }}{{ big }}',
      { bos_token: '<s>' },
      {
        variables: { a: 1, b: 2, whole: new PythonFloat(20), big: 2n ** 64n },
      },
    );
    expect(template.render([user('x')], { variables: { b: 3, bos_token: '' } })).toBe(
      '1320.018446744073709551616',
    );
    expect(() => template.render([user('x')], { variables: { messages: [] } })).toThrow(
      /"messages" cannot be a chat template variable/,
    );
    expect(() => template.render([user('x')], { variables: { documents: 'x' } })).toThrow(
      /"documents" must be a list/,
    );
  });

  it('has a fixed clock', () => {
    const now = '2026-11-28T15:04:05';
    const day = new ChatTemplate("{{ strftime_now('%d %b %Y') }}", {}, { now });
    expect(day.render([user('x')])).toBe('28 Nov 2026');
    expect(day.usesClock).toBe(true);
    expect(day.clockReadings).toEqual(['28 Nov 2026']);
    const free = new ChatTemplate('{% set f = "%H" %}{{ strftime_now(f) }}', {}, { now });
    expect(free.clockReadings).toEqual([now]);
    const asking = new ChatTemplate('{% if strftime_now is defined %}x{% endif %}', {}, { now });
    expect(asking.usesClock).toBe(false);
    expect(() => new ChatTemplate('x', {}, { now: 'today' })).toThrow(
      '"today" is not a local date and time. Write it like 2026-11-28T15:04:05',
    );
    expect(() => new ChatTemplate('x', {}, { now: '2026-02-30' })).toThrow(RangeError);
    expect(new ChatTemplate('x').now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  });
});

describe('renderWithSpans', () => {
  const spansIn = (source: string, messages: ChatMessage[], options = {}) => {
    const { text, spans } = new ChatTemplate(source).renderWithSpans(messages, options);
    return spans.map(({ message, field, start, end }) => [message, field, text.slice(start, end)]);
  };
  const one = (expression: string, content: unknown = ' Hello, World '): unknown =>
    spansIn(`a{{ ${expression} }}b`, [user('q'), { role: 'assistant', content }]);

  it.each([
    ['messages[1].content', ' Hello, World '],
    ["'x' + messages[1]['content'] + 'y'", ' Hello, World '],
    ["'x' ~ messages[1].content ~ 1", ' Hello, World '],
    ['messages[1].content | trim', 'Hello, World'],
    ['messages[1].content.strip().lower()', 'hello, world'],
    ['messages[-1].content[1:6]', 'Hello'],
    ['messages[1].content[2]', 'e'],
    ["messages[1:][0].content.split(', ')[1]", 'World '],
    ["('%s|%5d' % (messages[1].content, 3))", ' Hello, World '],
    ["'<{0}>'.format(messages[1].content)", ' Hello, World '],
    ["'<{:>20}>'.format(messages[1].content)", ' Hello, World '],
    ['messages[1].content | tojson', '" Hello, World "'],
    ['[messages[1].content, 1] | tojson', '" Hello, World "'],
    ['messages[1].content.center(30)', ' Hello, World '],
    ['(messages | last).content | upper', ' HELLO, WORLD '],
    ["messages | map(attribute='content') | list | last", ' Hello, World '],
    ['messages[1].content | reverse', ' dlroW ,olleH '],
    ['messages[1].content | safe', ' Hello, World '],
    ["messages[1].content | default('none')", ' Hello, World '],
    ['(messages[1].content | list)[3]', 'l'],
    ['[messages[1].content.strip()] | string', "'Hello, World'"],
    ["messages[1].content | truncate(9, true, '...', 0)", ' Hello'],
  ])('follows the text through %s', (expression, text) => {
    expect(one(expression)).toEqual([[1, 'content', text]]);
  });

  it('follows the parts of split, replaced and joined text', () => {
    expect(one("messages[1].content.replace('l', '(l)')")).toEqual(
      [' He', '', 'o, Wor', 'd '].map((text) => [1, 'content', text]),
    );
    expect(one("messages[1].content.split() | join('+')")).toEqual([
      [1, 'content', 'Hello,'],
      [1, 'content', 'World'],
    ]);
    expect(one("messages | map(attribute='content') | join(';')", 'z')).toEqual([
      [0, 'content', 'q'],
      [1, 'content', 'z'],
    ]);
  });

  it('marks the position of an empty text', () => {
    expect(one('messages[1].content', '')).toEqual([[1, 'content', '']]);
    expect(one('messages[1].content | trim', '  ')).toEqual([[1, 'content', '']]);
    expect(one("messages[1].content.split('</think>')[-1]", 'hm</think>')).toEqual([
      [1, 'content', ''],
    ]);
  });

  it('covers the whole text of a value that is not text', () => {
    const call = { name: 'f', arguments: { t: 20, é: ['a'] } };
    const message = { role: 'assistant', content: null, tool_calls: [{ function: call }] };
    const source =
      '{% set f = messages[0].tool_calls[0].function %}{{ f.name }}:{{ f.arguments | tojson }}:{{ f.arguments }}:{% for k, v in f.arguments | items %}{{ k }}={{ v }};{% endfor %}';
    expect(spansIn(source, [message])).toEqual(
      ['f', '{"t": 20, "é": ["a"]}', "{'t': 20, 'é': ['a']}", 't', 'é', "['a']"].map((text) => [
        0,
        'tool_calls',
        text,
      ]),
    );
  });

  it('follows text through macros, blocks and namespaces, and omits the role', () => {
    const source =
      '{% macro m(x) %}[{{ x }}{{ caller() if caller }}]{% endmacro %}{% set ns = namespace(all=[]) %}' +
      '{% for x in messages %}{% set ns.all = ns.all + [x] %}{% endfor %}' +
      '{% set y %}({{ ns.all[0].content }}){% endset %}{{ m(y) }}{% call m(1) %}{{ ns.all[1].content }}{% endcall %}' +
      '{% filter upper %}{{ messages[0].role }} {{ messages[0].name }}{% endfilter %}';
    expect(spansIn(source, [{ ...user('ab'), name: 'bob' }, assistant('cd')])).toEqual([
      [0, 'content', 'ab'],
      [1, 'content', 'cd'],
      [0, 'name', 'BOB'],
    ]);
  });

  it('counts UTF-16 units, and ends at the end of the continued text', () => {
    const source = '{% for m in messages %}🙂{{ m.content | trim }}<end>{% endfor %}';
    const template = new ChatTemplate(source);
    const { text, spans } = template.renderWithSpans([user('a🙂 '), assistant(' b ')], {
      continueFinalMessage: true,
    });
    expect(text).toBe('🙂a🙂<end>🙂b');
    expect(spans).toEqual([
      { message: 0, field: 'content', start: 2, end: 5 },
      { message: 1, field: 'content', start: 12, end: 13 },
    ]);
  });

  it('continues the last message, not an identical text after it', () => {
    const source = '{% for m in messages %}{{ m.content }}|{% endfor %}yes';
    const messages = [user('yes'), assistant('yes')];
    expect(new ChatTemplate(source).render(messages, { continueFinalMessage: true })).toBe(
      'yes|yes',
    );
  });

  it('returns the text in generation blocks', () => {
    const source =
      '{% macro m(x) %}<{% generation %}{{ x }}!{% endgeneration %}>{% endmacro %}' +
      '{% for x in messages %}{{ m(x.content) }}{% endfor %}';
    const { text, generation, spans } = new ChatTemplate(source).renderWithSpans([
      user('a'),
      assistant(''),
    ]);
    expect(text).toBe('<a!><!>');
    expect(generation!.map(({ start, end }) => text.slice(start, end))).toEqual(['a!', '!']);
    expect(spans.map(({ start, end }) => [start, end])).toEqual([
      [1, 2],
      [5, 5],
    ]);
    expect(generation!.map(({ message }) => message)).toEqual([0, 1]);
    const outside = new ChatTemplate(
      '{% for x in messages %}{% for y in messages[1:] %}{{ y.role }}{% endfor %}' +
        '{% generation %}-{% endgeneration %}{% endfor %}{% generation %}.{% endgeneration %}',
    ).renderWithSpans([user('a'), user('b')]);
    expect(outside.generation!.map(({ message }) => message)).toEqual([0, 1, -1]);
    expect(new ChatTemplate('x').renderWithSpans([user('a')]).generation).toBeNull();
  });
});
