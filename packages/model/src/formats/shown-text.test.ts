import { expect, it } from 'vitest';
import { shownLine, shownText } from './shown-text.ts';

it('escapes control characters', () => {
  expect(shownText('\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\x7f\b')).toBe(
    '\\x1b]52;c;aGk=\\x07\\x1b[2J\\x9b31m\\x7f\\x08',
  );
  expect(shownText('a\rb')).toBe('a\\rb');
});

it('escapes characters that change the direction of text, or are invisible', () => {
  expect(shownText('a\u202eb\u2066c\u200b\ufeff\u{e0041}')).toBe(
    'a\\u202eb\\u2066c\\u200b\\ufeff\\u{e0041}',
  );
  expect(shownText('\ud800')).toBe('\\ud800');
});

it('leaves other text unchanged, with its lines, marks and emoji', () => {
  const text = 'Größe\tاللغة\n👩‍🚀 ما می‌خواهیم ❤️';
  expect(shownText(text)).toBe(text);
  expect(shownLine('a\tb\nc')).toBe('a\\tb\\nc');
});
