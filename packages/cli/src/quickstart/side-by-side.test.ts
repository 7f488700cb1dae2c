import { expect, it } from 'vitest';
import { sideBySide, wrap } from './side-by-side.ts';

it('wraps at words, keeps lines and cuts what is too long', () => {
  expect(wrap('one two three\nfour', 7)).toEqual(['one two', 'three', 'four']);
  expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
});

it('puts texts side by side, each within its column', () => {
  const lines = sideBySide(['before', 'a b c d e f g h i j k l m n'], ['after', 'x'], 43).split(
    '\n',
  );
  expect(lines[0]).toBe(`${'before'.padEnd(20)} │ after`);
  expect(lines.every((line) => line.length <= 43)).toBe(true);
  expect(lines.length).toBe(3);
});
