import { expect, it } from 'vitest';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { tokenisePair } from './tokenise-pair.ts';
import { tokenisePrompt } from './tokenise-prompt.ts';

const tokenizer = tinyChatTokenizer();
const free = { maxPromptLength: null };

it.each([
  ['hello', 'wo', 'day'],
  [
    [{ role: 'user', content: 'hello' }],
    [{ role: 'assistant', content: 'wo' }],
    [{ role: 'assistant', content: 'day' }],
  ],
] as const)('a prompt has the same tokens as before an answer: %o', (prompt, chosen, rejected) => {
  const row = { prompt, chosen, rejected, extra: {} } as Parameters<typeof tokenisePair>[0];
  const asked = tokenisePrompt({ prompt: row.prompt, extra: { key: 1 } }, tokenizer, free)!;
  expect(asked.tokens).toEqual(tokenisePair(row, tokenizer, { maxLength: null })!.prompt);
  expect(asked).toMatchObject({ prompt, extra: { key: 1 }, opened: '', truncated: false });
});

it('a prompt that leaves no room gives null, and a chat without a template is an error', () => {
  const row = { prompt: 'hello world', extra: {} };
  const { tokens } = tokenisePrompt(row, tokenizer, free)!;
  expect(tokenisePrompt(row, tokenizer, { maxPromptLength: tokens.length })!.tokens).toEqual(
    tokens,
  );
  expect(tokenisePrompt(row, tokenizer, { maxPromptLength: tokens.length - 1 })).toBeNull();
  const chat = { prompt: [{ role: 'user' as const, content: 'x' }], extra: {} };
  expect(() => tokenisePrompt(chat, tinyChatTokenizer(null), free)).toThrow(/chat template/);
});
