import { expect, it } from 'vitest';
import { endsAsText } from './ends-as-text.ts';

const chat = [{ role: 'user', content: 'hi' }];

it.each([
  ['text', { text: 'a' }, true],
  ['a completion', { prompt: 'a', completion: 'b' }, true],
  ['a pair', { prompt: '', chosen: 'b', rejected: 'c' }, true],
  ['ranked answers', { prompt: 'a', completions: ['b'], ranks: [1] }, true],
  ['steps', { prompt: 'a', completions: ['b'], labels: [true] }, false],
  ['a prompt alone', { prompt: 'a' }, false],
  ['a chat', { messages: chat }, false],
  ['an answered chat', { prompt: chat, chosen: chat, rejected: chat }, false],
])('a row with %s', (_, row, ends) => {
  expect(endsAsText({ ...row, extra: {} })).toBe(ends);
});
