import { expect, test } from 'vitest';
import { sharedMessageCount, sharedTextLength } from './implicit-prompt.ts';

// Prompts as TRL's extract_prompt returns them for these pairs.
test.each([
  ['The sky is blue.', 'The sky is green.', 'The sky is'],
  ['The sky is blue.', 'The sky was blue.', 'The sky'],
  ['abc', 'abcd', 'ab'],
  ['2 + 2 = 4', '2 + 2 = 5', '2 + 2 ='],
  ['Q: x\nA: yes', 'Q: x\nA: no', 'Q: x\nA:'],
  ['a  b', 'a  c', 'a '],
  ['Hi 😀 there', 'Hi 😁 there', 'Hi'],
  ['Hi😀 there', 'Hi😁 there', 'Hi'],
  ['word', 'work', 'wor'],
  ['ends here ', 'ends here !', 'ends here'],
  ['ab😀', 'ab😀 more', 'ab'],
])('%j and %j share %j', (first, second, prompt) => {
  expect(first.slice(0, sharedTextLength(first, second))).toBe(prompt);
  expect(sharedTextLength(second, first)).toBe(prompt.length);
});

test('texts with nothing in common share no prompt, even if they end in a space', () => {
  expect(sharedTextLength('a ', 'b ')).toBe(0);
  expect(sharedTextLength('', 'b')).toBe(0);
});

test('chats share their leading messages', () => {
  const user = { role: 'user', content: 'x' };
  const one = { role: 'assistant', content: '1' };
  const two = { role: 'assistant', content: '2' };
  expect(sharedMessageCount([user, one], [user, two])).toBe(1);
  expect(sharedMessageCount([user, one], [user, one, user, two])).toBe(1);
  expect(sharedMessageCount([one], [two])).toBe(0);
  expect(sharedMessageCount([{ ...user, name: 'a' }, one], [user, two])).toBe(0);
});
