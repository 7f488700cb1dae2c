import { expect, test } from 'vitest';
import { StopStrings } from './stop-strings.ts';

function run(stops: string[], pieces: string[]): { pieces: string[]; stopped: boolean } {
  const finder = new StopStrings(stops);
  const given: string[] = [];
  for (const piece of pieces) {
    const { text, stopped } = finder.push(piece);
    given.push(text);
    if (stopped) return { pieces: given, stopped };
  }
  return { pieces: [...given, finder.end()], stopped: false };
}

test('a stop string across pieces is cut exactly', () => {
  expect(run(['END'], ['one E', 'N', 'D two'])).toEqual({
    pieces: ['one ', '', ''],
    stopped: true,
  });
});

test('text that only resembled a stop string is returned once that is certain', () => {
  expect(run(['END'], ['one E', 'N', 'ough'])).toEqual({
    pieces: ['one ', '', 'ENough', ''],
    stopped: false,
  });
  expect(run(['END'], ['one EN'])).toEqual({ pieces: ['one ', 'EN'], stopped: false });
});

test('the first to be completed counts, not the first in the list', () => {
  expect(run(['b', 'a'], ['xay', 'b'])).toEqual({ pieces: ['x'], stopped: true });
  expect(run(['abcde', 'cd'], ['ab', 'cde'])).toEqual({ pieces: ['', 'ab'], stopped: true });
  expect(run(['bc', 'abc'], ['abc'])).toEqual({ pieces: [''], stopped: true });
});

test('beginnings that overlap themselves', () => {
  expect(run(['aab'], ['a', 'a', 'a', 'b'])).toEqual({ pieces: ['', '', 'a', ''], stopped: true });
});

test('without stop strings, text passes unchanged', () => {
  expect(run([], ['a', 'b'])).toEqual({ pieces: ['a', 'b', ''], stopped: false });
});

test('any split of a text gives the same', () => {
  const text = 'xyxyxz--xyxz';
  const stops = ['xyxz', 'yxyxz-', '-'];
  for (let cut = 0; cut < 2 ** (text.length - 1); cut += 7) {
    const pieces = [''];
    for (let i = 0; i < text.length; i++) {
      pieces.push(pieces.pop()! + text[i]!);
      if ((cut >> i) & 1) pieces.push('');
    }
    const { pieces: given, stopped } = run(stops, pieces);
    expect([given.join(''), stopped]).toEqual(['xy', true]);
  }
});

test('an empty stop string is refused', () => {
  expect(() => new StopStrings(['a', ''])).toThrow(/empty/);
});
