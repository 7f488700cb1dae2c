// Where prompts end and answers start with templates whose renderings are not a concatenation of
// messages.
import { ChatTemplateError, Tokenizer } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { tinyTokenizerJson } from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import type { Message } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { PreferenceRow } from '../data/rows.ts';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { defaultScoring } from './scoring-rules.ts';
import { tokeniseExample } from './tokenise-example.ts';
import { tokenisePair } from './tokenise-pair.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';
import { tokenisePrompt } from './tokenise-prompt.ts';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, more: object = {}): Message => ({
  ...{ role: 'assistant', content },
  ...more,
});
const system = (content: string): Message => ({ role: 'system', content });

/**
 * A template of turns `[role:text]`, with replacements for the text of the assistant and for the
 * end.
 */
const template = ({
  text = 'm.content',
  opens = '',
  before = '',
}: {
  text?: string;
  opens?: string;
  before?: string;
} = {}): Tokenizer =>
  tinyChatTokenizer(
    `${before}{% for m in messages %}{{ '[' + m.role + ':' + (${text}) + ']' }}{% endfor %}` +
      `{% if add_generation_prompt %}{{ '[assistant:' }}${opens}{% endif %}`,
  );

interface Shown {
  prompt: string;
  chosen: string;
  rejected: string;
}

/** A pair as text, with the scored parts of the answers in «». */
function shown(
  tokenizer: Tokenizer,
  prompt: Message[],
  chosen: Message[],
  rejected: Message[] = [assistant('no')],
  rendering?: Rendering,
): Shown {
  const row: PreferenceRow = {
    prompt,
    chosen,
    rejected,
    extra: {},
    ...(rendering && { rendering }),
  };
  const pair = tokenisePair(row, tokenizer, { maxLength: null })!;
  return {
    prompt: tokenizer.decode(pair.prompt),
    chosen: marked(tokenizer, pair.chosen),
    rejected: marked(tokenizer, pair.rejected),
  };
}

function marked(tokenizer: Tokenizer, { tokens, scored }: ScoredSequence): string {
  let text = '';
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    while (to < tokens.length && scored[to] === scored[from]) to++;
    const part = tokenizer.decode(tokens.slice(from, to));
    text += scored[from] ? `«${part}»` : part;
    from = to;
  }
  return text;
}

const sampled = (tokenizer: Tokenizer, prompt: Message[], rendering?: Rendering) => {
  const row = { prompt, extra: {}, ...(rendering && { rendering }) };
  const { tokens, opened } = tokenisePrompt(row, tokenizer, { maxPromptLength: null })!;
  return { text: tokenizer.decode(tokens), opened };
};

const chat = (tokenizer: Tokenizer, ...messages: Message[]): string =>
  marked(
    tokenizer,
    tokeniseExample({ messages, extra: {} }, tokenizer, { ...defaultScoring, maxLength: null })!,
  );

describe('a generation prompt that opens a reasoning block', () => {
  const forgets = "m.content.split('</think>')[-1] if m.role == 'assistant' else m.content";
  const opening = template({ text: forgets, opens: '<think>' });

  it('that no answer has: the border is where the two diverge', () => {
    expect(shown(opening, [user('a')], [assistant('b')])).toEqual({
      ...{ prompt: '[user:a][assistant:', chosen: '«b]»', rejected: '«no]»' },
    });
    expect(chat(opening, user('a'), assistant('b'))).toBe('[user:a][assistant:«b]»');
    expect(sampled(opening, [user('a')])).toEqual({
      ...{ text: '[user:a][assistant:<think>', opened: '<think>' },
    });
  });

  it('whatever its tag looks like', () => {
    for (const tag of ['[THINK]', '<seed:think>', '<|channel>']) {
      const prompt = '[user:a][assistant:';
      expect(shown(template({ text: forgets, opens: tag }), [user('a')], [assistant('b')])).toEqual(
        {
          ...{ prompt, chosen: '«b]»', rejected: '«no]»' },
        },
      );
    }
  });

  it('that answers close immediately: the closing tag belongs to the answer', () => {
    const closing = template({
      text: "('<think></think>' if m.role == 'assistant' else '') + m.content",
      opens: '<think>\n',
    });
    expect(shown(closing, [user('a')], [assistant('b')])).toMatchObject({
      prompt: '[user:a][assistant:<think>',
      chosen: '«</think>b]»',
    });
    expect(sampled(closing, [user('a')])).toEqual({
      ...{ text: '[user:a][assistant:<think>\n', opened: '<think>\n' },
    });
  });

  it('which only some conversations have: each is told as if it were the first', () => {
    const source = () =>
      template({
        text: forgets,
        opens: "{% if messages[0].content == 'on' %}{{ '<think>' }}{% endif %}",
      });
    const [on, off] = [
      [system('on'), user('a')],
      [system('off'), user('a')],
    ];
    const both = source();
    expect([off, on, off].map((prompt) => sampled(both, prompt).opened)).toEqual([
      '',
      '<think>',
      '',
    ]);
    const again = source();
    expect([on, off, on].map((prompt) => sampled(again, prompt).opened)).toEqual([
      ...['<think>', '', '<think>'],
    ]);
  });

  it('which only some turns of a conversation have: each begins where it parts from its prompt', () => {
    const keeping = template({ opens: '<think>' });
    const thinking = [user('a'), assistant('<think>w</think>b')];
    const plain = [user('c'), assistant('d'), user('e'), assistant('')];
    expect(chat(keeping, ...thinking, ...plain, ...thinking)).toBe(
      '[user:a][assistant:<think>«w</think>b]»[user:c][assistant:«d]»[user:e][assistant:«]»' +
        '[user:a][assistant:<think>«w</think>b]»',
    );
    expect(chat(keeping, ...plain, ...thinking, ...plain)).toBe(
      '[user:c][assistant:«d]»[user:e][assistant:«]»[user:a][assistant:<think>«w</think>b]»' +
        '[user:c][assistant:«d]»[user:e][assistant:«]»',
    );
    expect(shown(keeping, [user('a')], [thinking[1]!, ...plain])).toEqual({
      prompt: '[user:a][assistant:',
      chosen: '«<think>w</think>b]»[user:c][assistant:«d]»[user:e][assistant:«]»',
      rejected: '«no]»',
    });
  });

  it('never splits a tag, even if an answer starts like it', () => {
    const { prompt, chosen } = shown(opening, [user('a')], [assistant('<b>x')]);
    expect(prompt).toBe('[user:a][assistant:');
    expect(chosen).toBe('«<b>x]»');
  });

  it('that only one answer has: both share the shorter prompt', () => {
    const keeping = template({ opens: '<think>' });
    expect(shown(keeping, [user('a')], [assistant('<think>w</think>b')])).toEqual({
      prompt: '[user:a][assistant:',
      chosen: '«<think>w</think>b]»',
      rejected: '«no]»',
    });
  });

  it('and closes it again: the prompt is what is sampled from', () => {
    const closed = template({ text: forgets, opens: '<think></think>' });
    expect(shown(closed, [user('a')], [assistant('b')])).toMatchObject({
      prompt: '[user:a][assistant:<think></think>',
      chosen: '«b]»',
    });
  });

  it('and closes it again, with other white space than a history has', () => {
    const spaced = template({
      text: "('\\n[think]\\n[/think]\\n' if m.role == 'assistant' else '') + m.content",
      opens: '[think]\n[/think]\n',
    });
    expect(shown(spaced, [user('hi')], [assistant('yes')])).toEqual({
      prompt: '[user:hi][assistant:[think]\n[/think]\n',
      chosen: '«yes]»',
      rejected: '«no]»',
    });
  });

  it('and closes it again, where an answer keeps it open: both share the opening tag', () => {
    // As GLM 4.5 writes reasoning in the content, with thinking turned off.
    const closing = template({
      text:
        "m.content if m.role == 'user' else '<think>' + (m.content.split('</think>')[0].split('<think>')[-1] if " +
        "'</think>' in m.content else '') + '</think>' + m.content.split('</think>')[-1]",
      opens: '<think></think>',
    });
    expect(shown(closing, [user('a')], [assistant('<think>w</think>b')])).toEqual({
      prompt: '[user:a][assistant:<think>',
      chosen: '«w</think>b]»',
      rejected: '«</think>no]»',
    });
    expect(shown(closing, [user('a')], [assistant('b')])).toMatchObject({
      ...{ prompt: '[user:a][assistant:<think></think>', chosen: '«b]»' },
    });
  });

  it('that the last answer has too: it belongs to the prompt', () => {
    const last = template({
      text: "('<think></think>' if m.role == 'assistant' and loop.last else '') + m.content",
      opens: '<think>',
    });
    expect(shown(last, [user('a')], [assistant('b')])).toMatchObject({
      prompt: '[user:a][assistant:<think>',
      chosen: '«</think>b]»',
    });
    expect(sampled(last, [user('a')]).opened).toBe('<think>');
  });
});

describe('a template that renders earlier text differently once an answer follows', () => {
  it('moves the system message: the prompt stays what is sampled from', () => {
    const late = template({
      before: "{% set s = messages[0].content + ' ' if messages[0].role == 'system' else '' %}",
      text: "(s if m.role == 'user' and loop.last else '') + m.content",
    });
    const found = shown(late, [system('s'), user('a')], [assistant('b')]);
    expect(found.prompt).toBe(sampled(late, [system('s'), user('a')]).text);
    expect(found).toMatchObject({ chosen: '«b]»', rejected: '«no]»' });
  });

  it('writes something else before the header: the header stays in the prompt', () => {
    // As Hermes writes tool results: a newline precedes the end mark, except in the last turn.
    const source = (last: string, opens = '') =>
      tinyChatTokenizer(
        "{% for m in messages %}{{ '<' + m.role + '>' + m.content }}" +
          "{% for c in m.tool_calls or [] %}{{ '<call>' + c.function.name }}{% endfor %}" +
          `{{ '${last}' if loop.last and m.role == 'user' else '\n' }}{{ '<e>' }}{% endfor %}` +
          `{% if add_generation_prompt %}{{ '<assistant>${opens}' }}{% endif %}`,
      );
    const call = { type: 'function', function: { name: 'w', arguments: {} } };
    const answers: [Message[], Message[]] = [
      [assistant('b')],
      [assistant('', { tool_calls: [call] })],
    ];
    for (const last of ['', ' ', '<last>']) {
      const plain = source(last);
      const prompt = `<user>a${last}<e><assistant>`;
      expect(sampled(plain, [user('a')])).toEqual({ text: prompt, opened: '' });
      expect(shown(plain, [user('a')], ...answers)).toEqual({
        ...{ prompt, chosen: '«b\n<e>»', rejected: '«<call>w\n<e>»' },
      });
      expect(chat(plain, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
        `<user>a\n<e><assistant>«b\n<e>»<user>c\n<e><assistant>«d\n<e>»`,
      );
      const opening = source(last, '<think>');
      expect(sampled(opening, [user('a')])).toEqual({
        ...{ text: `${prompt}<think>`, opened: '<think>' },
      });
      expect(shown(opening, [user('a')], ...answers)).toEqual({
        ...{ prompt, chosen: '«b\n<e>»', rejected: '«<call>w\n<e>»' },
      });
    }
  });

  it('leaves out messages of others, and says whose', () => {
    // As Mistral's template does: the system message goes before the last message, if a user's.
    const late = template({
      before: "{% set s = messages[0].content + ' ' if messages[0].role == 'system' else '' %}",
      text: "'' if m.role == 'system' else (s if m.role == 'user' and loop.last else '') + m.content",
    });
    const rows = { messages: [system('s'), user('a'), assistant('b')], extra: {} };
    const rules = { ...defaultScoring, maxLength: null };
    expect(tokeniseExample(rows, late, rules)!.lost).toEqual(['system message']);
    const switched = [system('/no_think'), ...rows.messages.slice(1)];
    expect(tokeniseExample({ ...rows, messages: switched }, late, rules)!.lost).toBeUndefined();
    const [prompt, answer] = [rows.messages.slice(0, 2), rows.messages.slice(2)];
    const completion = { prompt, completion: answer, extra: {} };
    expect(tokeniseExample(completion, late, rules)!.lost).toBeUndefined();
    const pair = { prompt, chosen: answer, rejected: [assistant('no')], extra: {} };
    expect(tokenisePair(pair, late, { maxLength: null })!.lost).toBeUndefined();

    const deaf = template({ text: "'' if m.role == 'tool' else m.content" });
    const asked = [user('a'), assistant('w'), { role: 'tool', content: 's' }];
    const tool = { ...pair, prompt: asked };
    expect(tokenisePair(tool, deaf, { maxLength: null })!.lost).toEqual(['tool message']);
    const question = { prompt: asked, extra: {} };
    expect(tokenisePrompt(question, deaf, { maxPromptLength: null })!.lost).toEqual([
      'tool message',
    ]);
    const later = { ...pair, prompt: [user('a')], chosen: [...asked.slice(1), ...answer] };
    expect(tokenisePair(later, deaf, { maxLength: null })!.lost).toEqual(['tool message']);
  });

  it('marks only the last answer: its turns are found in the whole', () => {
    const last = template({
      text: "('<think></think>' if m.role == 'assistant' and loop.last else '') + m.content",
    });
    const turns = [assistant('b'), user('c'), assistant('d')];
    expect(shown(last, [user('a')], turns)).toEqual({
      prompt: '[user:a][assistant:',
      chosen: '«b]»[user:c][assistant:«<think></think>d]»',
      rejected: '«<think></think>no]»',
    });
    expect(chat(last, user('a'), ...turns)).toBe(
      '[user:a][assistant:«b]»[user:c][assistant:«<think></think>d]»',
    );
  });

  it('drops reasoning of earlier turns: the field that lost text is reported', () => {
    const forgets = template({
      text: "m.content.split(';')[-1] if m.role == 'assistant' and not loop.last else m.content",
    });
    const messages = [user('a'), assistant('w;b'), user('c'), assistant('v;d')];
    expect(chat(forgets, ...messages)).toBe('[user:a][assistant:«b]»[user:c][assistant:«v;d]»');
    const example = (row: Message[]) =>
      tokeniseExample({ messages: row, extra: {} }, forgets, {
        ...defaultScoring,
        maxLength: null,
      })!;
    expect(example(messages).lost).toEqual(['content']);
    expect(example(messages.slice(2)).lost).toBeUndefined();
  });
});

it('reports that an answer has reasoning where the generation prompt closes its block', () => {
  const closed = template({
    text: "'<think>\\n' ~ (m.reasoning_content or '') ~ '\\n</think>\\n\\n' ~ m.content if m.role == 'assistant' else m.content",
    opens: '<think>\n\n</think>\n\n',
  });
  const lostOf = (...answers: [Message, Message]) => {
    const [chosen, rejected] = answers.map((answer) => [answer]);
    const pair = { prompt: [user('a')], chosen: chosen!, rejected: rejected!, extra: {} };
    return tokenisePair(pair, closed, { maxLength: null })!.lost ?? [];
  };
  expect(lostOf(assistant('b', { reasoning_content: 'so' }), assistant('c'))).toContainEqual(
    expect.stringMatching(/<\/think>.* of the generation prompt$/),
  );
  expect(lostOf(assistant('b'), assistant('c'))).toEqual([]);
  const inChat = (...messages: Message[]) =>
    tokeniseExample({ messages, extra: {} }, closed, { ...defaultScoring, maxLength: null })!.lost;
  const thought = assistant('b', { reasoning_content: 'so' });
  expect(inChat(user('a'), thought)).toContainEqual(expect.stringMatching(/generation prompt$/));
  expect(inChat(user('a'), assistant('b'))).toBeUndefined();
});

describe('what the assistant said before its answer', () => {
  const deaf = template({ text: "m.content if m.role != 'tool' else 'result'" });
  const call = { type: 'function', function: { name: 'w', arguments: { city: 'Rome' } } };
  const asked = [user('a'), assistant('', { tool_calls: [call] }), { role: 'tool', content: '22' }];
  const answer = [assistant('22.')];
  const lostOf = (prompt: Message[], by = deaf) => {
    const options = { maxLength: null };
    const pair = { prompt, chosen: answer, rejected: [assistant('no')], extra: {} };
    const rules = { ...defaultScoring, ...options };
    const excluded = prompt.map((one) => (one.role === 'assistant' ? { ...one, weight: 0 } : one));
    return [
      tokenisePair(pair, by, options)!.lost,
      tokeniseExample({ prompt, completion: answer, extra: {} }, by, rules)!.lost,
      tokeniseExample({ messages: [...excluded, ...answer], extra: {} }, by, rules)!.lost,
      tokenisePrompt({ prompt, extra: {} }, by, { maxPromptLength: null })!.lost,
    ];
  };

  it('is reported where the template drops it: calls, and text', () => {
    for (const lost of lostOf(asked)) expect(lost).toContain('tool_calls of earlier turns');
    const curt = template({ text: "m.content[:3] if m.role == 'assistant' else m.content" });
    const talk = [user('a'), assistant('a long answer'), user('b')];
    for (const lost of lostOf(talk, curt).slice(0, 2)) {
      expect(lost).toContain('content of earlier turns');
    }
  });

  it('is not where the template shows it, trims it or forgets its reasoning', () => {
    const thinking = '<think>so</think> yes ';
    const talk = [user('a'), assistant(thinking, { reasoning_content: 'so' }), user('b')];
    const forgets = template({ text: "m.content.split('</think>')[-1] | trim" });
    for (const lost of lostOf(talk, forgets)) expect(lost ?? []).toEqual([]);
    const shows = template({ text: "m.content + (m.tool_calls | tojson if m.tool_calls else '')" });
    for (const lost of lostOf(asked, shows)) expect(lost ?? []).toEqual([]);
  });
});

describe('a prompt that ends with the start of an answer', () => {
  const plain = template();
  const begun = [user('a'), assistant('the colour')];

  it('is continued, in sampling and in training', () => {
    expect(sampled(plain, begun)).toEqual({ text: '[user:a][assistant:the colour', opened: '' });
    expect(shown(plain, begun, [assistant(' red')], [assistant(' loud')])).toEqual({
      prompt: '[user:a][assistant:the colour',
      chosen: '« red]»',
      rejected: '« loud]»',
    });
  });

  it('may be empty: what the template trims before it belongs to the answer', () => {
    // As Llama 3 has it; transformers ends the prompt before the newlines of the header.
    const trimming = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ']\n\n' + m.content | trim + '[e]' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '[assistant]\n\n' }}{% endif %}",
    );
    for (const blank of ['', ' \n']) {
      const prompt = [system('s'), user('a'), assistant(blank)];
      const asked = '[system]\n\ns[e][user]\n\na[e][assistant]';
      expect(sampled(trimming, prompt).text).toBe(asked);
      expect(shown(trimming, prompt, [assistant('b')])).toEqual({
        ...{ prompt: asked, chosen: '«\n\nb[e]»', rejected: '«\n\nno[e]»' },
      });
    }
    expect(shown(plain, [user('a'), assistant('')], [assistant('b')])).toMatchObject({
      ...{ prompt: '[user:a][assistant:', chosen: '«b]»' },
    });
  });

  it('continues with further turns', () => {
    const more = [assistant(' red'), user('b'), assistant('c')];
    expect(shown(plain, begun, more).chosen).toBe('« red]»[user:b][assistant:«c]»');
    expect(shown(plain, begun, [user('b'), assistant('c')]).chosen).toBe(
      '][user:b][assistant:«c]»',
    );
  });

  it.each([
    { weight: 0 },
    { train: false },
    { training: false },
    { loss: false },
    { masked: true },
  ])('is continued with the mark of the answer: in the prompt, %o has no effect', (mark) => {
    const marked = [user('a'), assistant('the colour', mark)];
    const more = [assistant(' red'), user('b'), assistant('c')];
    expect(shown(plain, marked, more)).toEqual(shown(plain, begun, more));
    const excluded = [assistant(' red', { weight: 0 }), user('b'), assistant('c')];
    expect(shown(plain, marked, excluded).chosen).toBe(' red][user:b][assistant:«c]»');
    expect(shown(plain, [user('a'), assistant('x', mark), ...begun], more)).toEqual(
      shown(plain, [user('a'), assistant('x'), ...begun], more),
    );
  });

  it('reports what the template writes before that start, and the prompt lacks', () => {
    const before = template({
      text: "(m.reasoning_content or '') + '|' + (m.tool_calls[0].function.name if m.tool_calls else '') + m.content",
    });
    const call = { type: 'function', function: { name: 'w', arguments: {} } };
    const lost = (more: object, own: object = {}) => {
      const prompt = [user('a'), assistant('the', own)];
      const chosen = [assistant(' red', more)];
      const pair = { prompt, chosen, rejected: [assistant(' no', own)], extra: {} };
      return tokenisePair(pair, before, { maxLength: null })!.lost;
    };
    expect(lost({ reasoning_content: 'late' })).toEqual(['reasoning_content']);
    expect(lost({ tool_calls: [call] })).toEqual(['tool_calls']);
    const known = { reasoning_content: 'known' };
    // This template writes the first call of a turn only.
    const written = template({
      text: "m.content + (m.tool_calls[0].function.name if m.tool_calls else '')",
    });
    const lostCalls = (...names: string[]) => {
      const calls = names.map((name) => ({ function: { name, arguments: {} } }));
      const chosen = [assistant('red', { tool_calls: calls })];
      const pair = { prompt: [user('a')], chosen, rejected: [assistant('no')], extra: {} };
      return tokenisePair(pair, written, { maxLength: null })!.lost;
    };
    expect(lostCalls('w')).toBeUndefined();
    expect(lostCalls('w', 'w')).toEqual(['tool_calls']);
    expect(lost({}, known)).toBeUndefined();
    expect(lost(known, known)).toBeUndefined();
    expect(lost({ reasoning_content: 'another' }, known)).toEqual(['reasoning_content']);
  });

  it('is rejected if the template changes that start', () => {
    const shouting = template({ text: "m.content.replace('the colour red', 'X')" });
    expect(() => shown(shouting, begun, [assistant(' red')])).toThrow(ChatTemplateError);
  });
});

describe('a header that has settings only where the model answers', () => {
  // As Granite 3 writes it with the variable "controls".
  const granite = tinyChatTokenizer(
    "{% for m in messages %}{{ '<role>' + m.role + '</role>' + m.content + '<end>' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<role>assistant' }}{% if controls %}{{ ' ' + (controls | tojson) }}{% endif %}{{ '</role>' }}{% endif %}",
  );
  const rendering = { tools: null, variables: { controls: { length: 'short' } } };
  const asked = '<role>user</role>a<end><role>assistant {"length": "short"}</role>';

  it('is before the answer in training too', () => {
    expect(shown(granite, [user('a')], [assistant('b')], [assistant('c')], rendering)).toEqual({
      ...{ prompt: asked, chosen: '«b<end>»', rejected: '«c<end>»' },
    });
    const prompt = { prompt: [user('a')], rendering, extra: {} };
    const sampled = tokenisePrompt(prompt, granite, { maxPromptLength: null })!;
    expect(granite.decode(sampled.tokens)).toBe(asked);
  });

  it('is not scored in a conversation', () => {
    const messages = [user('a'), assistant('b'), user('c'), assistant('d')];
    const row = { messages, rendering, extra: {} };
    const example = tokeniseExample(row, granite, { ...defaultScoring, maxLength: null })!;
    expect(marked(granite, example)).toBe(
      '<role>user</role>a<end><role>assistant</role>«b<end>»<role>user</role>c<end><role>assistant</role>«d<end>»',
    );
  });
});

describe('a prompt that ends with tool calls', () => {
  const calling = template({
    text: "(m.content or '') + (m.tool_calls[0].function.name if m.tool_calls else '')",
  });
  const call = { type: 'function', function: { name: 'w', arguments: {} } };
  const result = (content: string): Message => ({ role: 'tool', content, name: 'w' });

  it('ends after that turn, and the answers start with the results', () => {
    const ended = tinyChatTokenizer(
      calling.chatTemplate!.sources.default!.concat(
        "{{ '[e]' if messages[-1].role == 'assistant' }}",
      ),
    );
    for (const content of ['', null, 'look '] as string[]) {
      const prompt = [user('a'), assistant(content, { tool_calls: [call] })];
      const answers = ['5', 'w'].map((text) => [result(text), assistant('b')]);
      const asked = `[user:a][assistant:${content ?? ''}w]`;
      for (const [tokenizer, end] of [
        [calling, ''],
        [ended, '[e]'],
      ] as const) {
        expect(shown(tokenizer, prompt, answers[0]!, answers[1])).toEqual({
          prompt: asked,
          chosen: `[tool:5][assistant:«b]${end}»`,
          rejected: `[tool:w][assistant:«b]${end}»`,
        });
      }
    }
  });

  it('ends before results that the template writes within that turn', () => {
    // As Gemma 4 writes them: the calls, their results and then the text of the turn.
    const within = tinyChatTokenizer(
      "{% for m in messages if m.role != 'tool' %}{{ '[' + m.role + ':' }}" +
        "{% if m.tool_calls %}{{ '<w>' }}" +
        "{% for r in messages if r.role == 'tool' %}{{ '<r>' + r.content }}{% endfor %}" +
        "{% endif %}{{ m.content + ']' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '[assistant:' }}{% endif %}",
    );
    const prompt = [user('a'), assistant('look', { tool_calls: [call] })];
    const answers = ['5', '6'].map((text) => [result(text), assistant('b')]);
    expect(shown(within, prompt, answers[0]!, answers[1])).toEqual({
      prompt: '[user:a][assistant:<w>',
      chosen: '<r>5look][assistant:«b]»',
      rejected: '<r>6look][assistant:«b]»',
    });
  });

  it('has no block that the template writes only in a last turn', () => {
    const last = template({
      text: "('<t>' if loop.last and m.role == 'assistant' else '') + m.content + ('w' if m.tool_calls else '')",
    });
    const prompt = [user('a'), assistant('', { tool_calls: [call] })];
    const answer = [result('5'), assistant('b')];
    expect(shown(last, prompt, answer, answer.with(0, result('6')))).toMatchObject({
      ...{ prompt: '[user:a][assistant:w]', chosen: '[tool:5][assistant:«<t>b]»' },
    });
  });

  it('is refused without the results', () => {
    const prompt = [user('a'), assistant('', { tool_calls: [call] })];
    expect(() => sampled(calling, prompt)).toThrow(/ends with tool calls.*Add the results/);
    const answer = [result('5'), assistant('b')];
    expect(() => shown(calling, prompt, answer)).toThrow(/does not start with their results/);
  });
});

describe('turns', () => {
  const plain = template();

  it('end before the next header, where only the last has an end mark', () => {
    for (const [open, close] of ['[]', '<>']) {
      const mark = (name: string) => `{{ '${open}${name}${close}' }}`;
      const last = tinyChatTokenizer(
        `{% for m in messages %}{{ '${open}' + m.role + '${close}' + m.content }}` +
          `{% if loop.last and m.role == 'assistant' %}${mark('act')}{% endif %}{% endfor %}` +
          `{% if add_generation_prompt %}${mark('assistant')}{% endif %}`,
      );
      const shownAs = (text: string) => text.replaceAll('[', open!).replaceAll(']', close!);
      expect(chat(last, user('a'), assistant('b', { weight: 0 }), assistant('c'))).toBe(
        shownAs('[user]a[assistant]b[assistant]«c[act]»'),
      );
    }
    const brackets = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% endfor %}{{ '[ut]' if messages[-1].role == 'assistant' }}" +
        "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}",
    );
    expect(chat(brackets, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
      '[user]a[assistant]«b»[user]c[assistant]«d[ut]»',
    );
  });

  it('of weight 0 are in the text but not scored', () => {
    const messages = [user('a'), assistant('b', { weight: 0 }), user('c'), assistant('d')];
    expect(chat(plain, ...messages)).toBe('[user:a][assistant:b][user:c][assistant:«d]»');
    const everything = { ...defaultScoring, assistantOnlyLoss: false, maxLength: null };
    expect(marked(plain, tokeniseExample({ messages, extra: {} }, plain, everything)!)).toBe(
      '«[user:a][assistant:»b]«[user:c][assistant:d]»',
    );
  });

  it('may start a conversation', () => {
    expect(chat(plain, assistant('hi'), user('a'), assistant('b'))).toBe(
      '[assistant:«hi]»[user:a][assistant:«b]»',
    );
  });

  it('begin after their header, also where the message before is not written', () => {
    // As Vicuna writes turns: a space follows the header, and other roles are left out.
    const spaced = tinyChatTokenizer(
      "{% for m in messages if m.role != 'tool' %}{{ '[' + m.role + ': ' + m.content + ']' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '[assistant:' }}{% endif %}",
    );
    const tool: Message = { role: 'tool', content: 's' };
    expect(chat(spaced, user('a'), assistant('b'), tool, assistant('c'))).toBe(
      '[user: a][assistant:« b]»[assistant:« c]»',
    );
  });

  it('may be empty, and follow each other', () => {
    expect(chat(plain, user('a'), assistant(''), assistant('b'))).toBe(
      '[user:a][assistant:«]»[assistant:«b]»',
    );
  });

  it('that repeat each other and the header are distinguished', () => {
    const text = '[assistant:b]';
    expect(chat(plain, user(text), assistant(text), user(text), assistant(text))).toBe(
      `[user:${text}][assistant:«${text}]»[user:${text}][assistant:«${text}]»`,
    );
  });

  it('are those that the template marks, if it marks generated text', () => {
    const marks = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ':' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}" +
        "{% else %}{{ m.content }}{% endif %}{{ ']' }}{% endfor %}",
    );
    expect(chat(marks, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
      '[user:a][assistant:«b»][user:c][assistant:«d»]',
    );
    const apart = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ':' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}" +
        "{% generation %}{{ ']' }}{% endgeneration %}{% else %}{{ m.content + ']' }}{% endif %}{% endfor %}",
    );
    expect(chat(apart, user('a'), assistant('b'), user('c'), assistant('d', { weight: 0 }))).toBe(
      '[user:a][assistant:«b]»[user:c][assistant:d]',
    );
    // As GLM 4.5 writes a turn without text: its block is a turn's all the same.
    const empty = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ':' }}{% if m.role == 'assistant' %}{% generation %}{{ '<t></t>' }}" +
        "{% if m.content %}{{ m.content }}{% endif %}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ ']' }}{% endfor %}",
    );
    const turns = [user('a'), assistant(''), user('c'), assistant('d')];
    expect(chat(empty, ...turns)).toBe(
      '[user:a][assistant:«<t></t>»][user:c][assistant:«<t></t>d»]',
    );
    expect(chat(empty, user('a'), assistant('', { weight: 0 }), ...turns.slice(2))).toBe(
      '[user:a][assistant:<t></t>][user:c][assistant:«<t></t>d»]',
    );
    const last = { ...defaultScoring, assistantTurns: 'last' as const, maxLength: null };
    const messages = [user('a'), assistant('b'), user('c'), assistant('d')];
    expect(marked(marks, tokeniseExample({ messages, extra: {} }, marks, last)!)).toBe(
      '[user:a][assistant:b][user:c][assistant:«d»]',
    );
  });
});

describe('text of a message that another turn repeats', () => {
  it('inside an answer does not move a border', () => {
    const quoting = template({
      text: "m.content + (' re ' + messages[0].content if m.role == 'assistant' else '')",
    });
    expect(shown(quoting, [user('a')], [assistant('b')])).toEqual({
      ...{ prompt: '[user:a][assistant:', chosen: '«b re a]»', rejected: '«no re a]»' },
    });
    expect(chat(quoting, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
      '[user:a][assistant:«b re a]»[user:c][assistant:«d re a]»',
    );
  });

  it("in a tool's result is not scored", () => {
    const naming = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ':' }}{% if m.role == 'tool' %}{% set name = messages[loop.index0 - 1].tool_calls[0].function.name %}" +
        "{{ name + '=' + m.content + ' by ' + name }}{% else %}{% for c in m.tool_calls or [] %}{{ '(' + c.function.name + ')' }}{% endfor %}" +
        "{{ m.content or '' }}{% endif %}{{ ']' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant:' }}{% endif %}",
    );
    const tool_calls = [{ type: 'function', function: { name: 'w', arguments: {} } }];
    const messages = [
      ...[user('a'), assistant('', { tool_calls }), { role: 'tool', content: 's' }],
      assistant('b'),
    ];
    expect(chat(naming, ...messages)).toBe(
      '[user:a][assistant:«(w)]»[tool:w=s by w][assistant:«b]»',
    );
  });

  it('in the header of its result does not move the end of the next call', () => {
    const naming = tinyChatTokenizer(
      "{% for m in messages %}{% if m.role == 'tool' %}{{ '<tool ' + messages[loop.index0 - 1].tool_calls[0].function.name + ' to=assistant>' + m.content + '<end>' }}" +
        "{% elif m.tool_calls %}{{ '<assistant to=' + m.tool_calls[0].function.name + '>' + (m.tool_calls[0].function.arguments | tojson) + '<call>' }}" +
        "{% else %}{{ '<' + m.role + '>' + m.content + '<end>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<assistant' }}{% endif %}",
    );
    const called = (name: string): Message[] => [
      assistant('', { tool_calls: [{ function: { name, arguments: { a: 'x' } } }] }),
      { role: 'tool', content: 's' },
    ];
    const messages = [user('a'), ...called('long_name'), ...called('f'), assistant('b')];
    const call = (name: string) =>
      `<assistant« to=${name}>{"a": "x"}<call>»<tool ${name} to=assistant>s<end>`;
    expect(chat(naming, ...messages)).toBe(
      `<user>a<end>${call('long_name')}${call('f')}<assistant«>b<end>»`,
    );
  });
});

describe('a turn that holds the results of its calls', () => {
  // As Gemma 4 writes it: the calls, their results, then the text of the turn.
  const holding = tinyChatTokenizer(
    "{% for m in messages %}{% if m.role != 'tool' %}" +
      "{{ '[' + m.role + ':' if loop.first or loop.previtem.role != 'tool' }}" +
      "{% for c in m.tool_calls or [] %}{{ '(' + c.function.name + ')' }}{% endfor %}{% if m.tool_calls %}{{ '{' }}" +
      "{% if not loop.last %}{{ m.tool_calls[0].function.name + '=' + loop.nextitem.content + '}' }}{% endif %}{% endif %}" +
      "{{ m.content or '' }}{{ ']' if m.content }}{% endif %}{% endfor %}" +
      "{% if add_generation_prompt and messages[-1].role != 'tool' %}{{ '[assistant:' }}{% endif %}",
  );
  const tool_calls = [{ type: 'function', function: { name: 'w', arguments: {} } }];
  const calls = (text: string | null, more = {}) =>
    assistant(text as string, { tool_calls, ...more });
  const result: Message = { role: 'tool', content: 's' };
  const [asked, answered] = [user('a'), assistant('b')];

  it('is scored without them', () => {
    for (const none of [null, '']) {
      expect(chat(holding, asked, calls(none), result, answered)).toBe(
        '[user:a][assistant:«(w){»w=s}«b]»',
      );
    }
    expect(chat(holding, asked, calls('t'), result, answered)).toBe(
      '[user:a][assistant:«(w){»w=s}«t]b]»',
    );
    expect(chat(holding, asked, calls('t'), result)).toBe('[user:a][assistant:«(w){»w=s}«t]»');
  });

  it('is scored without them in an answer of several turns', () => {
    expect(shown(holding, [asked], [calls('t'), result, answered])).toMatchObject({
      prompt: '[user:a][assistant:',
      chosen: '«(w){»w=s}«t]b]»',
    });
  });

  it('keeps them in the context where it is not trained on', () => {
    expect(chat(holding, asked, calls('t', { weight: 0 }), result, answered)).toBe(
      '[user:a][assistant:(w){w=s}t]«b]»',
    );
    const row = { messages: [asked, calls('t', { weight: 0 }), result, answered], extra: {} };
    const everything = { ...defaultScoring, assistantOnlyLoss: false, maxLength: null };
    expect(marked(holding, tokeniseExample(row, holding, everything)!)).toBe(
      '«[user:a][assistant:»(w){«w=s}»t]«b]»',
    );
  });
});

describe('tools and variables', () => {
  const tools = [{ name: 'clock' }];

  it('reach the template for prompts and answers', () => {
    const knowing = template({ before: '{% if tools %}{{ tools[0].name }}{% endif %}{{ mood }}' });
    const rendering = { tools, variables: { mood: 'calm' } };
    expect(sampled(knowing, [user('a')], rendering).text).toBe('clockcalm[user:a][assistant:');
    expect(shown(knowing, [user('a')], [assistant('b')], undefined, rendering)).toMatchObject({
      prompt: 'clockcalm[user:a][assistant:',
      chosen: '«b]»',
    });
  });

  it('tools that the template does not render are rejected by name', () => {
    const rendering = { tools, variables: {} };
    expect(() => sampled(template(), [user('a')], rendering)).toThrow(/"tools".*--chat-template/);
  });
});

describe('SentencePiece', () => {
  // As in Llama 2 and Mistral: a space precedes a text, and is written as ▁.
  const words = [
    '<unk>',
    '</s>',
    '▁',
    ':',
    'a',
    'b',
    'c',
    's',
    't',
    'u',
    'e',
    'r',
    'i',
    'n',
    '▁a',
    '▁b',
    '▁u',
  ];
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const tokenizer = new Tokenizer({
    source: 'tiny',
    json: {
      ...tinyTokenizerJson(),
      added_tokens: [0, 1].map((id) => ({
        ...{ id, content: words[id], special: true, normalized: false },
        ...{ lstrip: false, rstrip: false, single_word: false },
      })),
      normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] },
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: {
        ...{ type: 'BPE', unk_token: '<unk>', fuse_unk: false, byte_fallback: false },
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
        merges: ['▁ a', '▁ b', '▁ u'],
      },
    },
    config: { eos_token: '</s>', unk_token: '<unk>' },
    chatTemplates: {
      default:
        "{% for m in messages %}{{ m.role + ':' + m.content + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}",
    },
  });
  const ids = (...texts: string[]): number[] => texts.map((text) => words.indexOf(text));

  it('puts no space before an answer, plain or in a chat', () => {
    const plain = { prompt: 'a:', chosen: 'b', rejected: 'c', extra: {} };
    expect(tokenisePair(plain, tokenizer, { maxLength: null })).toMatchObject({
      prompt: ids('▁a', ':'),
      chosen: { tokens: ids('b', '</s>') },
      rejected: { tokens: ids('c', '</s>') },
    });
    const row = {
      ...plain,
      prompt: [user('a')],
      chosen: [assistant('b')],
      rejected: [assistant('c')],
    };
    expect(tokenisePair(row, tokenizer, { maxLength: null })).toMatchObject({
      chosen: { tokens: ids('b', '</s>') },
      rejected: { tokens: ids('c', '</s>') },
    });
    const messages = [user('a'), assistant('b')];
    const options = { ...defaultScoring, maxLength: null };
    const rendered = tokenizer.chatTemplate!.render(messages);
    expect(tokeniseExample({ messages, extra: {} }, tokenizer, options)!.tokens).toEqual(
      tokenizer.encode(rendered),
    );
  });
});

describe('a template that also writes a message elsewhere', () => {
  const turns = "{% for m in messages %}{{ '[' + m.role + ':' + m.content + ']' }}{% endfor %}";
  const header = "{% if add_generation_prompt %}{{ '[assistant:' }}{% endif %}";

  it('the last question before the conversation: the border is after its turn', () => {
    const recalling = tinyChatTokenizer(
      "{{ '[asked:' + (messages | selectattr('role', 'equalto', 'user') | list | last).content + ']' }}" +
        turns +
        header,
    );
    expect(shown(recalling, [user('a')], [assistant('b')])).toEqual({
      ...{ prompt: '[asked:a][user:a][assistant:', chosen: '«b]»', rejected: '«no]»' },
    });
  });

  it('the last question after the conversation: the answer starts after its header', () => {
    const reminding = tinyChatTokenizer(
      `${turns}{{ '[asked:' + (messages | selectattr('role', 'equalto', 'user') | list | last).content + ']' }}${header}`,
    );
    expect(shown(reminding, [user('a')], [assistant('b')])).toMatchObject({
      prompt: '[user:a][asked:a][assistant:',
      chosen: expect.stringContaining('«b]'),
    });
  });

  it('a substitute in place of the answer: the turn is found by its header', () => {
    const looking = tinyChatTokenizer(
      `{% set said = {'b': 'yes'} %}` +
        "{% for m in messages %}{{ '[' + m.role + ':' + said.get(m.content, m.content) + ']' }}{% endfor %}" +
        header,
    );
    expect(chat(looking, user('a'), assistant('b'))).toBe('[user:a][assistant:«yes]»');
  });
});
