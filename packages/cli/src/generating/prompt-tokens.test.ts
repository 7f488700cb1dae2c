import { parseRow } from '@keel/align/data';
import { tokenisePrompt } from '@keel/align/internal';
import { expect, test } from 'vitest';
import { tinyChatTokenizer } from '../../../align/src/testing/tiny-chat-model.ts';
import { promptTokens } from './prompt-tokens.ts';

const tokenizer = tinyChatTokenizer();
const place = { file: 'prompts.jsonl', line: 1 };
const own = { system: null, raw: false };
const asTurn = [{ role: 'user', content: 'Hello there' }];

test.each([
  ['plain text', 'Hello there'],
  ['a chat', asTurn],
])('a row of %s has the tokens that every other verb makes of it', (_, prompt) => {
  const row = parseRow('prompt', { prompt }, place);
  const { tokens } = tokenisePrompt(row, tokenizer, { maxPromptLength: null })!;
  expect(promptTokens({ ...row, place }, tokenizer, own)).toEqual(tokens);
});

test('a prompt on the command line is a user message, unless --raw is given', () => {
  const [prompt, chat] = ['Hello there', { prompt: asTurn }];
  expect(promptTokens({ prompt }, tokenizer, own)).toEqual(promptTokens(chat, tokenizer, own));
  const raw = promptTokens({ prompt }, tokenizer, { ...own, raw: true });
  expect(raw).toEqual(promptTokens({ prompt, place }, tokenizer, own));
});

test('--system before a row of plain text is an error', () => {
  const form = { system: 'Be brief.', raw: false };
  expect(() => promptTokens({ prompt: 'Hello', place }, tokenizer, form)).toThrow(/^--system: /);
});

test('--system before a prompt with a system message needs the same text', () => {
  const [system, user] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ];
  const row = { prompt: [system, user], place };
  const form = { system: 'Be brief.', raw: false };
  const tokens = promptTokens(row, tokenizer, own);
  expect(promptTokens(row, tokenizer, form)).toEqual(tokens);
  expect(promptTokens({ prompt: [user], place }, tokenizer, form)).toEqual(tokens);
  for (const role of ['system', 'developer']) {
    const other = { prompt: [{ role, content: 'Be kind.' }, user], place };
    expect(() => promptTokens(other, tokenizer, form)).toThrow(
      new RegExp(`^--system: .*${role}.*"Be kind\\."`, 's'),
    );
  }
});
