// Where turns start and end if the template writes no end mark, another one after the last turn,
// or rejects the beginnings of a conversation.
import { Tokenizer } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { tinyTokenizerJson } from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import type { Message } from '../data/messages.ts';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { defaultScoring, type ScoringRules } from './scoring-rules.ts';
import { tokeniseExample } from './tokenise-example.ts';
import { tokeniseUnpaired } from './tokenise-unpaired.ts';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, more: object = {}): Message => ({
  ...{ role: 'assistant', content },
  ...more,
});

/** The whole row as text, with its scored parts in «». */
function scored(
  tokenizer: Tokenizer,
  row: { messages: Message[] } | { prompt: Message[]; completion: Message[] },
  rules: Partial<ScoringRules> = {},
): string {
  const options = { ...defaultScoring, ...rules, maxLength: null };
  const { tokens, scored: own } = tokeniseExample({ ...row, extra: {} }, tokenizer, options)!;
  let text = '';
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    while (to < tokens.length && own[to] === own[from]) to++;
    const part = tokenizer.decode(tokens.slice(from, to));
    text += own[from] ? `«${part}»` : part;
    from = to;
  }
  return text;
}

const chat = (tokenizer: Tokenizer, ...messages: Message[]) => scored(tokenizer, { messages });

describe('a turn that the header of the next one ends', () => {
  // As GLM-4.5 writes turns; the expected parts are those of TRL 1.13's training template.
  const glm = tinyChatTokenizer(
    "{% for m in messages %}{% if m.role == 'assistant' %}{{ '<|assistant|>\\n' + m.content }}" +
      "{% for t in m.tool_calls or [] %}{{ '\\n<tool_call>' + t.function.name + '\\n</tool_call>' }}{% endfor %}" +
      "{% elif m.role == 'tool' %}{{ '<|observation|>\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}" +
      "{% else %}{{ '<|human|>\\n' + m.content }}{% endif %}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}",
  );
  const calls = { tool_calls: [{ function: { name: 'f', arguments: {} } }] };

  it('has it after text and after a call', () => {
    const tool: Message = { role: 'tool', content: '20' };
    const turns = [user('a'), assistant('', calls), tool, assistant('b'), user('c')];
    expect(chat(glm, ...turns, assistant('d'))).toBe(
      '<|human|>\na<|assistant|>\n«\n<tool_call>f\n</tool_call><|observation|>»\n<tool_response>\n20\n</tool_response>' +
        '<|assistant|>\n«b<|human|>»\nc<|assistant|>\n«d»',
    );
  });

  it('has it after several calls that end with the same value', () => {
    const valued = tinyChatTokenizer(
      "{% for m in messages %}{% if m.role == 'assistant' %}{{ '<|assistant|>\\n' + m.content }}" +
        "{% for t in m.tool_calls or [] %}{{ '\\n<tool_call>' + t.function.name + ':' + t.function.arguments.unit + '\\n</tool_call>' }}{% endfor %}" +
        "{% elif m.role == 'tool' %}{{ '<|observation|>\\n' + m.content }}" +
        "{% else %}{{ '<|human|>\\n' + m.content }}{% endif %}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}",
    );
    const tool_calls = ['f', 'g', 'f'].map((name) => ({
      function: { name, arguments: { unit: 'C' } },
    }));
    const tool: Message = { role: 'tool', content: '20' };
    const call = (name: string) => `\n<tool_call>${name}:C\n</tool_call>`;
    expect(chat(valued, user('a'), assistant('', { tool_calls }), tool, assistant('b'))).toBe(
      `<|human|>\na<|assistant|>\n«${call('f')}${call('g')}${call('f')}<|observation|>»\n20<|assistant|>\n«b»`,
    );
  });

  it('does not have the header of a template whose turns have no end', () => {
    const headers: [string, string][] = [
      ["{{ '<role>' + m.role | upper + '</role>' }}", '<role>ROLE</role>'],
      ["{{ '<' + m.role + '>' }}", '<ROLE>'],
      ["{{ '<|' + m.role + '|>: ' }}", '<|ROLE|>: '],
    ];
    for (const [header, shown] of headers) {
      const upper = shown.includes('</');
      const as = (role: string) => shown.replace('ROLE', upper ? role.toUpperCase() : role);
      for (const last of ['', '<|stop|>']) {
        const bare = tinyChatTokenizer(
          `{% for m in messages %}${header}{{ m.content }}{% if loop.last and m.role == 'assistant' %}${last}{% endif %}{% endfor %}` +
            `{% if add_generation_prompt %}${as('assistant')}{% endif %}`,
        );
        const text = `${as('user')}a${as('assistant')}«b»${as('user')}c${as('assistant')}«d${last}»`;
        expect(chat(bare, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(text);
      }
    }
  });

  it('has a header of one token only if the model stops at it', () => {
    const source =
      "{% for m in messages %}{{ ('<|user|>' if m.role == 'user' else '<|pad|>') + m.content }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|pad|>' }}{% endif %}";
    const ending = (...ends: string[]): Tokenizer => {
      const plain = tinyChatTokenizer(source);
      return new Tokenizer({
        ...{ source: 'tiny', json: tinyTokenizerJson(), config: { eos_token: '<|end|>' } },
        chatTemplates: { default: source },
        endOfTurnIds: ends.map((token) => plain.tokenToId(token)!),
      });
    };
    const turns = [user('a'), assistant('b'), user('c'), assistant('d')];
    expect(chat(ending('<|user|>'), ...turns)).toBe('<|user|>a<|pad|>«b<|user|>»c<|pad|>«d»');
    expect(chat(ending(), ...turns)).toBe('<|user|>a<|pad|>«b»<|user|>c<|pad|>«d»');
  });

  it('does not have it after an end mark', () => {
    const ended = tinyChatTokenizer(
      "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|x|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}",
    );
    expect(chat(ended, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
      '<|user|>\na<|x|>\n<|assistant|>\n«b<|x|>\n»<|user|>\nc<|x|>\n<|assistant|>\n«d<|x|>\n»',
    );
    const last = tinyChatTokenizer(
      "{% for m in messages %}{{ '<|start|>' + m.role + '\\n' + m.content + ('<|return|>' if loop.last and m.role == 'assistant' else '<|x|>') }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}",
    );
    expect(chat(last, user('a'), assistant('b'), user('c'), assistant('d'))).toBe(
      '<|start|>user\na<|x|><|start|>assistant\n«b<|x|>»<|start|>user\nc<|x|><|start|>assistant\n«d<|return|>»',
    );
  });
});

describe('a template that requires a question', () => {
  // As in Qwen3.5, which writes reasoning only after the last question.
  const asked = (opens: string) =>
    tinyChatTokenizer(
      "{% if messages | selectattr('role', 'equalto', 'user') | list | length == 0 %}{{ raise_exception('No user query') }}{% endif %}" +
        "{% for m in messages %}{{ '<|user|>' + m.role + '\\n' + m.content + '<|end|>\\n' }}{% endfor %}" +
        `{% if add_generation_prompt %}{{ '<|user|>assistant\\n${opens}' }}{% endif %}`,
    );

  it.each([
    '',
    '<think>\\n',
  ])('takes a greeting before it, with a prompt that opens %j', (opens) => {
    const turns = [assistant('hi'), user('a'), assistant('b')];
    const rest =
      '<|user|>assistant\n«hi<|end|>\n»<|user|>user\na<|end|>\n<|user|>assistant\n«b<|end|>\n»';
    expect(chat(asked(opens), ...turns)).toBe(rest);
    const system: Message = { role: 'system', content: 's' };
    expect(chat(asked(opens), system, ...turns)).toBe(`<|user|>system\ns<|end|>\n${rest}`);
    const first = scored(
      asked(opens),
      { messages: [system, assistant('hi', { weight: 0 }), ...turns.slice(1)] },
      { assistantOnlyLoss: false },
    );
    expect(first).toBe(
      '«<|user|>system\ns<|end|>\n<|user|>assistant\n»hi<|end|>\n«<|user|>user\na<|end|>\n<|user|>assistant\nb<|end|>\n»',
    );
  });
});

describe('a turn that begins the conversation', () => {
  it('starts after the header that others have', () => {
    const spoken = tinyChatTokenizer(
      "{% for m in messages %}{{ '<|user|>' + m.role }}{{ ' to=all: <t></t>' if m.role == 'assistant' else ': ' }}{{ m.content + '<|end|>' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|user|>assistant' }}{% endif %}",
    );
    expect(chat(spoken, assistant('hi'), user('a'), assistant('b'))).toBe(
      '<|user|>assistant« to=all: <t></t>hi<|end|>»<|user|>user: a<|end|><|user|>assistant« to=all: <t></t>b<|end|>»',
    );
    const opening = tinyChatTokenizer(
      "{% for m in messages %}{{ '<|user|>' + m.role + ':' + ('<t></t>' if m.role == 'assistant' else '') + m.content + '<|end|>' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|user|>assistant:<t>\\n' }}{% endif %}",
    );
    expect(chat(opening, assistant('hi'), user('a'), assistant('b'))).toBe(
      '<|user|>assistant:<t>«</t>hi<|end|>»<|user|>user:a<|end|><|user|>assistant:<t>«</t>b<|end|>»',
    );
  });
});

describe('a completion', () => {
  it('is scored where the template marks it, as whole chats are; other methods score all', () => {
    // TRL 1.13 scores the same with assistant_only_loss, and the whole completion without it.
    const marks = tinyChatTokenizer(
      "{% for m in messages %}{{ '<|user|>' + m.role + '\\n' }}{% if m.role == 'assistant' %}{{ '<t>' + (m.why or '') + '</t>' }}" +
        "{% generation %}{{ m.content + '<|end|>' }}{% endgeneration %}{{ '\\n' }}{% else %}{{ m.content + '<|end|>\\n' }}{% endif %}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|user|>assistant\\n' }}{% endif %}",
    );
    const [prompt, completion] = [[user('a')], [assistant('b', { why: 'w' })]];
    const row = { prompt, completion };
    const asked = '<|user|>user\na<|end|>\n<|user|>assistant\n';
    const marked = `${asked}<t>w</t>«b<|end|>»\n`;
    expect(scored(marks, row)).toBe(marked);
    expect(scored(marks, { messages: [...prompt, ...completion] })).toBe(marked);
    const whole = `${asked}«<t>w</t>b<|end|>\n»`;
    expect(scored(marks, row, { assistantOnlyLoss: false })).toBe(whole);
    const more = [...completion, user('c'), assistant('d')];
    expect(scored(marks, { prompt, completion: more }, { assistantTurns: 'last' })).toBe(
      `${asked}<t>w</t>b<|end|>\n<|user|>user\nc<|end|>\n<|user|>assistant\n<t></t>«d<|end|>»\n`,
    );
    // A prompt that ends within the marked text.
    const begun = { prompt: [user('a'), assistant('b')], completion: [assistant('c')] };
    expect(scored(marks, begun)).toBe(`${asked}<t></t>b«c<|end|>»\n`);
    const thumb = tokeniseUnpaired({ ...row, label: true, extra: {} }, marks, { maxLength: null })!;
    expect(thumb.answer.scored.every(Boolean)).toBe(true);
  });

  it('that loses a message to the place before it says so', () => {
    const hoisting = tinyChatTokenizer(
      "{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}" +
        "{% for m in messages if m.role != 'system' %}{{ '<|user|>' + m.role + '\\n' + m.content + '<|end|>' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|user|>assistant\\n' }}{% endif %}",
    );
    const system: Message = { role: 'system', content: 's' };
    const row = (...completion: Message[]) => ({
      ...{ prompt: [user('a')], completion, label: true, extra: {} },
    });
    const lost = (...completion: Message[]) =>
      tokeniseUnpaired(row(...completion), hoisting, { maxLength: null })!.lost;
    expect(lost(assistant('b'), system, user('c'), assistant('d'))).toEqual(['system message']);
    expect(lost(assistant('b'), user('c'), assistant('d'))).toBeUndefined();
  });
});
