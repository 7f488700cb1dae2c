import { expect, test } from 'vitest';
import { spokenText } from './reward.ts';

test('in a chat, only the text of the assistant counts', () => {
  expect(spokenText('plain')).toBe('plain');
  const chat = [
    { role: 'assistant', content: 'first' },
    { role: 'tool', content: '42' },
    { role: 'assistant', content: 'second' },
  ];
  expect(spokenText(chat)).toBe('first\nsecond');
});
