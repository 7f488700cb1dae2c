import { describe, expect, it } from 'vitest';
import { ChatTemplate, ChatTemplateError } from './chat-template.ts';

const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('ChatTemplate', () => {
  const template = new ChatTemplate(chatml);

  it('renders with and without the beginning of an answer', () => {
    expect(template.render([user('hi')])).toBe('<|im_start|>user\nhi<|im_end|>\n');
    expect(template.render([user('hi')], { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('stops after the last words where they are to be continued', () => {
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
    ).toThrow(/exclude each other/);
    expect(() => template.render([assistant(' ')], { continueFinalMessage: true })).toThrow(
      /cannot be continued/,
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

  it('gives the template’s own refusal as an error', () => {
    const strict = new ChatTemplate(
      "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}",
    );
    expect(() => strict.render([{ role: 'system', content: 'x' }])).toThrow(ChatTemplateError);
    expect(() => strict.render([{ role: 'system', content: 'x' }, user('a')])).toThrow(
      /roles system, user: .*System role not supported/,
    );
  });

  it('gives an error where the template is broken, no earlier than it is used', () => {
    const broken = new ChatTemplate('{% for %}');
    expect(() => broken.render([user('a')])).toThrow(/cannot be parsed/);
  });

  it('wants messages with roles', () => {
    expect(() => template.render([])).toThrow(/at least one message/);
    expect(() => template.render([{ content: 'x' } as never])).toThrow(/Message 0 has no role/);
  });
});
