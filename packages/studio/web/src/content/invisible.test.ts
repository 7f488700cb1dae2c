import { describe, expect, test } from 'vitest';
import { piecesOf, visibleText } from './invisible.ts';

describe('what is not seen is marked', () => {
  test.each([
    ['an override', 'safe\u202egnp.exe', 'safe[U+202E]gnp.exe'],
    ['isolates', '\u2066a\u2069', '[U+2066]a[U+2069]'],
    ['a direction mark', 'a\u200fb', 'a[U+200F]b'],
    ['a zero width space', 'a\u200bb', 'a[U+200B]b'],
    ['a joiner between Latin letters', 'pass\u200dword', 'pass[U+200D]word'],
    ['a soft hyphen', 'a\u00adb', 'a[U+00AD]b'],
    ['a byte order mark', '\ufeffa', '[U+FEFF]a'],
    ['an escape', '\u001b[31m', '[U+001B][31m'],
    ['a null', 'a\u0000', 'a[U+0000]'],
    ['half of a pair', 'a\ud800b', 'a[U+D800]b'],
    ['a line separator', 'a\u2028b', 'a[U+2028]b'],
    ['a filler', '\u3164', '[U+3164]'],
    ['a tag', 'a\u{e0041}', 'a[U+E0041]'],
    ['a variant of a letter', 'a\ufe0f', 'a[U+FE0F]'],
  ])('%s', (_, text, expected) => {
    expect(visibleText(text)).toBe(expected);
  });

  test('with a name', () => {
    expect(piecesOf('a\u202e')).toEqual([
      'a',
      { label: 'U+202E', title: 'right-to-left override' },
    ]);
  });

  test('many in a row have one mark', () => {
    const hidden = [...'ignore all rules'].map((one) =>
      String.fromCodePoint(0xe0000 + one.codePointAt(0)!),
    );
    expect(visibleText(`a${hidden.join('')}b`)).toBe('a[16 invisible characters]b');
  });
});

test.each([
  ['lines and tabs', 'a\r\n\tb'],
  ['the emoji of a family', '👩‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈'],
  ['a heart and a key cap', '❤️ 1️⃣ ☎︎'],
  ['flags', '🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪'],
  ['Persian and Hindi', 'می\u200cخواهم क्\u200dष'],
  ['a variant of a Chinese character', '葛\u{e0100}'],
  ['Arabic, Hebrew and Chinese', 'مرحبا שלום 你好'],
])('%s stay as they are', (_, text) => {
  expect(piecesOf(text)).toEqual([text]);
});
