// Compares rendered conversations with transformers: fixtures/chats.json, which make-chats.py
// writes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PythonFloat } from '../jinja/values.ts';
import {
  type ChatMessage,
  ChatTemplate,
  ChatTemplateError,
  type RenderOptions,
} from './chat-template.ts';

interface Options {
  add_generation_prompt?: boolean;
  continue_final_message?: boolean | string;
  tools?: unknown[];
  kwargs?: Record<string, unknown>;
}

interface Case {
  template: string;
  conversation: string;
  options: number;
  text?: string;
  error?: string;
  generation?: [number, number][] | null;
}

const asFloat = (value: number): unknown =>
  Number.isSafeInteger(value) ? new PythonFloat(value) : value;

const fixture = JSON.parse(
  readFileSync(new URL('./fixtures/chats.json', import.meta.url), 'utf8'),
  // Python's floats, and ints that a double would round.
  (_, value) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$float' in value) return asFloat(Number(value.$float));
    return '$int' in value ? BigInt(value.$int) : value;
  },
) as {
  templates: Record<string, string>;
  conversations: Record<string, ChatMessage[]>;
  options: Options[];
  tokens: Record<string, string>;
  now: string;
  cases: Case[];
};
const { conversations } = fixture;
const templates = new Map(
  Object.entries(fixture.templates).map(([name, source]) => [
    name,
    new ChatTemplate(source, fixture.tokens, { now: fixture.now }),
  ]),
);

const optionsOf = (options: Options): RenderOptions => ({
  addGenerationPrompt: options.add_generation_prompt,
  continueFinalMessage: options.continue_final_message,
  tools: options.tools,
  variables: options.kwargs,
});

/** The text of a field. The texts of blocks are joined without separators, as in templates. */
const wordsOf = (value: unknown): string => {
  if (typeof value === 'string') return value.replace(/\s+/g, '');
  const blocks = Array.isArray(value) ? value : [];
  if (blocks.some((block) => typeof block?.text === 'string')) {
    return blocks.map(({ text = '' }) => wordsOf(text)).join('');
  }
  const parts = Object.entries(value ?? {}).flat();
  return parts.map((part) => wordsOf(part)).join(' ');
};

describe.each([...templates.keys()])('the template %s', (name) => {
  const cases = fixture.cases.filter(({ template }) => template === name);
  const template = templates.get(name)!;

  it('renders conversations as in transformers', () => {
    expect(cases.length).toBeGreaterThan(50);
    for (const { conversation, options, text, error, generation } of cases) {
      const messages = conversations[conversation]!;
      const where = `${conversation}, options ${options}`;
      const render = () => template.renderWithSpans(messages, optionsOf(fixture.options[options]!));
      if (error !== undefined) {
        expect(render, where).toThrow(ChatTemplateError);
        continue;
      }
      const rendered = render();
      expect(rendered.text, where).toBe(text);
      if (generation != null) {
        const blocks = rendered.generation?.map(({ start, end }) => [start, end]);
        expect(blocks, where).toEqual(generation);
      }
    }
  });

  it("returns the position of the messages' text", () => {
    for (const { conversation, options, error } of cases) {
      if (error !== undefined) continue;
      const messages = conversations[conversation]!;
      const { text, spans } = template.renderWithSpans(
        messages,
        optionsOf(fixture.options[options]!),
      );
      let at = 0;
      for (const { message, field, start, end } of spans) {
        expect(start).toBeGreaterThanOrEqual(at);
        expect(end).toBeGreaterThanOrEqual(start);
        at = end;
        const span = text.slice(start, end);
        // Text that is not written as JSON, or in upper case, comes unchanged from the field.
        if (/^["[{]/.test(span) || field === 'note') continue;
        expect(wordsOf(messages[message]![field]), conversation).toContain(wordsOf(span));
      }
    }
  });
});
