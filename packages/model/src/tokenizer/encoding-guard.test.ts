import { describe, expect, it } from 'vitest';
import { unknownPatterns } from './known-patterns.ts';
import { preTokenizerFamilies } from './pre-tokenizers.ts';
import { tinyTokenizerJson } from './testing/tiny-tokenizer.ts';
import { Tokenizer } from './tokenizer.ts';
import { checkTokenizerJson } from './tokenizer-json.ts';

const withPattern = (pattern: string) => ({
  ...tinyTokenizerJson(),
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
});
const tokenizerOf = (json: unknown): Tokenizer =>
  new Tokenizer({ source: 'tokenizer.json', json, config: {} });

describe('an unknown pattern', () => {
  it('is found in every component', () => {
    const json = checkTokenizerJson(withPattern('a+b'), 'x');
    expect(unknownPatterns(json)).toEqual(['a+b']);
    for (const { preTokenizer } of preTokenizerFamilies.values()) {
      const family = { ...tinyTokenizerJson(), pre_tokenizer: preTokenizer };
      expect(unknownPatterns(checkTokenizerJson(family, 'x'))).toEqual([]);
    }
  });

  it('gives the same ids as a known one', () => {
    const known = tokenizerOf(withPattern('\\p{N}+'));
    const unknown = tokenizerOf(withPattern('\\p{N}{1,}'));
    for (const text of ['hello 1234 world', 'é🙂', '']) {
      expect(unknown.encode(text)).toEqual(known.encode(text));
      expect(unknown.encodePieces([text, ' 12'], {})).toEqual(
        known.encodePieces([text, ' 12'], {}),
      );
    }
  });

  it('gives ids and offsets of texts of any length and number', () => {
    // Where an answer lies in the memory of its message depends on both.
    const known = tokenizerOf(withPattern('\\p{N}+'));
    const unknown = tokenizerOf(withPattern('\\p{N}{1,}'));
    for (let length = 1; length <= 40; length++) {
      const pieces = Array.from({ length: (length % 5) + 1 }, () => 'é1 '.repeat(length));
      expect(unknown.encodePieces(pieces, {})).toEqual(known.encodePieces(pieces, {}));
    }
  });

  it('that takes too long causes an error naming it, and the tokenizer still works', () => {
    const tokenizer = tokenizerOf(withPattern('(([A-Za-z ]+)+)+!'));
    expect(() => tokenizer.encode(`${'a'.repeat(40)}?!`)).toThrow(
      /tokenizer.json: cannot encode a text: the tokenizers library gave up on a text of 42 characters.*"\(\(\[A-Za-z \]\+\)\+\)\+!"/,
    );
    expect(tokenizer.decode(tokenizer.encode('hello!'))).toBe('hello!');
  });
});

it('refuses a decoder with a regular expression', () => {
  const decoder = { type: 'Replace', pattern: { Regex: '(a+)+' }, content: '' };
  expect(() => tokenizerOf({ ...tinyTokenizerJson(), decoder })).toThrow(
    'its Replace decoder has a regular expression',
  );
});
