import { ChatTemplate } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { chatFormatOf, formatted } from './chat-format.ts';

const template = (source: string, tokens: Record<string, string> = {}): ChatTemplate =>
  new ChatTemplate({ default: source }, tokens);

const loop = (body: string, generation: string): string =>
  `{% for message in messages %}${body}{% endfor %}{% if add_generation_prompt %}${generation}{% endif %}`;
const chatml =
  "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}";
const opening = "{{ '<|im_start|>assistant\n' }}";

describe('chatFormatOf', () => {
  it('finds the texts around messages', () => {
    expect(chatFormatOf(template(loop(chatml, opening)), '')).toEqual({
      ...{ start: '', withoutSystem: '' },
      system: ['<|im_start|>system\n', '<|im_end|>\n'],
      user: ['<|im_start|>user\n', '<|im_end|>\n'],
      assistant: ['<|im_start|>assistant\n', '<|im_end|>\n'],
      generation: '<|im_start|>assistant\n',
    });
  });

  it('finds a system message that chats without one get', () => {
    const guide =
      "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}";
    const found = chatFormatOf(template(guide + loop(chatml, opening)), '')!;
    expect(found.withoutSystem).toBe('<|im_start|>system\nBe kind.<|im_end|>\n');
    const chat = [{ role: 'user', content: 'Hi {{ x }}' }];
    expect(formatted(found, chat)).toBe(
      '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi {{ x }}<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('finds the token at the start', () => {
    const source = `{{ bos_token }}${loop(chatml, opening)}`;
    const found = chatFormatOf(template(source, { bos_token: '<s>' }), '<s>')!;
    expect(found).toMatchObject({ start: '<s>', withoutSystem: '' });
    expect(found.system[0]).toBe('<|im_start|>system\n');
  });

  it.each([
    [
      'refuses system messages',
      `{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}${loop(chatml, opening)}`,
    ],
    [
      'puts the system message into the question',
      loop(
        "{% if message.role == 'system' %}{% else %}[{{ message.role }}]{% if loop.index0 == 1 and messages[0].role == 'system' %}{{ messages[0].content }}: {% endif %}{{ message.content }}{% endif %}",
        '[assistant]',
      ),
    ],
    ['shows the date', `${loop(chatml, opening)}{{ strftime_now('%Y') }}`],
    ['numbers its turns', loop('{{ loop.index }}: {{ message.content }}\n', 'A: ')],
    ['changes contents', loop('{{ message.content | upper }}\n', 'A: ')],
  ])('gives null for a template that %s', (_, source) => {
    expect(chatFormatOf(template(source), '')).toBeNull();
  });
});
