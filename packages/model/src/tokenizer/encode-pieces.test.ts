import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RustTokenizer } from './rust-tokenizer.ts';
import { tinyTokenizerJson } from './testing/tiny-tokenizer.ts';
import { Tokenizer } from './tokenizer.ts';
import { checkTokenizerJson } from './tokenizer-json.ts';

const nothing = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
};
const replaceSpaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const letters = ['<unk>', '▁', ':', 'a', 'b', 'c', 'é', 'e', '\u0301', '▁a', '▁b', 'ab', 'abc'];
const letterPairs = ['▁ a', '▁ b', 'a b', 'ab c'];
const bytePair = (fields: Record<string, unknown> = {}) => ({
  type: 'BPE',
  unk_token: '<unk>',
  vocab: Object.fromEntries(letters.map((token, id) => [token, id])),
  merges: letterPairs,
  ...fields,
});
const added = (content: string, flags: Record<string, boolean> = {}) => ({
  id: 0,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...flags,
});

const tokenizerOf = (json: Record<string, unknown>): Tokenizer =>
  new Tokenizer({ source: 'test', json: { ...nothing, model: bytePair(), ...json }, config: {} });

/** The tokens of each piece. */
const split = (tokenizer: Tokenizer, ...pieces: string[]): (string | null)[][] =>
  tokenizer.encodePieces(pieces).map((ids) => ids.map((id) => tokenizer.idToToken(id)));

/** What the model gives for characters that it does not know. */
const unknown = (text: string): string[] => Array.from(text, () => '<unk>');

const prepended = {
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'Prepend', prepend: '▁' }, replaceSpaces],
  },
};
const metaspace = (scheme: string) => ({
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: true },
});

describe('encodePieces', () => {
  it('splits the tokens of the whole text', () => {
    const tokenizer = tokenizerOf(prepended);
    expect(split(tokenizer, 'a:', 'b', ' a')).toEqual([['▁a', ':'], ['b'], ['▁a']]);
    expect(split(tokenizer, 'a', ' b')).toEqual([['▁a'], ['▁b']]);
  });

  it('matches added tokens behind a cut as in a whole text, with the space that Prepend puts', () => {
    // What tokenizer.add_tokens('<x>') of transformers makes.
    const added_tokens = [added('<x>', { normalized: true, special: false })];
    const tokenizer = tokenizerOf({ ...prepended, added_tokens });
    expect(split(tokenizer, ':a <x> a')).toEqual([['▁', ':', 'a', '▁<x>', '▁a']]);
    // "ab" would be one token, so the text is cut there.
    expect(split(tokenizer, ':a', 'b <x> a')).toEqual([
      ['▁', ':', 'a'],
      ['b', '▁<x>', '▁a'],
    ]);
    expect(split(tokenizer, ':a', 'b<x> <x>')[1]).toEqual(['b', ...unknown('<x>'), '▁<x>']);
    expect(tokenizer.encodePieces([':a', 'b <x>'])[1]!.at(-1)).toBe(tokenizer.tokenToId('<x>'));
  });

  it.each([
    // In its decoded, normalized form.
    ['in normalized text', true, '▁<unk>'],
    ['unchanged', false, '<unk>'],
  ])('does not treat an unknown character as an added token, matched %s', (_, normalized, unknown) => {
    const model = bytePair({ fuse_unk: true });
    const added_tokens = [added('<unk>', { normalized })];
    const tokenizer = tokenizerOf({ ...prepended, model, added_tokens });
    // "ab" would be one token, and so would "你好": both are cut. No space is added after either cut.
    expect(split(tokenizer, ':a', 'b你b')).toEqual([
      ['▁', ':', 'a'],
      ['b', unknown, 'b'],
    ]);
    expect(split(tokenizer, 'a你', '好c')).toEqual([
      ['▁a', unknown],
      [unknown, 'c'],
    ]);
  });

  it.each([
    ['Prepend', prepended],
    ['Metaspace, always', metaspace('always')],
    ['Metaspace, first', metaspace('first')],
  ])('adds no space after a cut: %s', (_, json) => {
    const tokenizer = tokenizerOf({ ...json, added_tokens: [added('<x>')] });
    // "ab" would be one token, and so is cut.
    expect(split(tokenizer, ':a', 'b')).toEqual([['▁', ':', 'a'], ['b']]);
    // After an added token, the tokenizer adds its space again if it does so in the whole text.
    const whole = split(tokenizer, ':<x>c')[0]!.slice(2);
    expect(split(tokenizer, ':a', 'b<x>c')).toEqual([
      ['▁', ':', 'a'],
      ['b', ...whole],
    ]);
    expect(split(tokenizer, ':a', 'b', 'c<x>', 'c').slice(2)).toEqual([
      ['c', '<x>'],
      whole.slice(1),
    ]);
  });

  it('adds no ByteLevel space after a cut', () => {
    const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true };
    const tokenizer = tokenizerOf({
      ...tinyTokenizerJson(),
      pre_tokenizer: { ...byteLevel, use_regex: true },
      post_processor: byteLevel,
    });
    expect(split(tokenizer, 'he', 'llo w', 'o')).toEqual([['Ġ', 'he'], ['ll', 'o', 'Ġw'], ['o']]);
  });

  it('gives the first piece its ids as a separate text, even if the whole starts differently', () => {
    // As one text, "abc" is a token.
    const tokenizer = tokenizerOf({});
    expect(split(tokenizer, 'a', 'b', 'c')).toEqual([['a'], ['b'], ['c']]);
    expect(split(tokenizer, 'ab', 'c')).toEqual([['ab'], ['c']]);
    expect(split(tokenizer, 'a', 'bc')).toEqual([['a'], ['b', 'c']]);
  });

  it('cuts if a normalizer joins characters across a border', () => {
    const tokenizer = tokenizerOf({ normalizer: { type: 'NFC' } });
    expect(split(tokenizer, 'ae\u0301')).toEqual([['a', 'é']]);
    expect(split(tokenizer, 'ae', '\u0301')).toEqual([['a', 'e'], ['\u0301']]);
    expect(split(tokenizer, 'a', 'e', '\u0301')).toEqual([['a'], ['e'], ['\u0301']]);
  });

  it('puts a byte token in the piece of its character', () => {
    const tokenizer = tokenizerOf(tinyTokenizerJson());
    expect(split(tokenizer, 'é', 'ñ', '🚀')).toEqual([['Ã©'], ['Ã', '±'], ['ð', 'Ł', 'ļ', 'Ģ']]);
    // Half a surrogate pair is not a character.
    expect(tokenizer.encodePieces(['\ud83d', '\ude80'])).toEqual([
      tokenizer.encode('\ufffd'),
      tokenizer.encode('\ufffd'),
    ]);
  });

  it('puts an added token in the piece that contains its own text', () => {
    const tokens = [added('<l>', { lstrip: true }), added('<r>', { rstrip: true })];
    const tokenizer = tokenizerOf({ ...prepended, added_tokens: tokens });
    expect(split(tokenizer, 'a', ' <l>')).toEqual([['▁a'], ['<l>']]);
    expect(split(tokenizer, 'a', ' ', '<l>')).toEqual([['▁a'], [], ['<l>']]);
    expect(split(tokenizer, '<r>', ' ', ' b')).toEqual([['<r>'], [], ['▁b']]);
    expect(split(tokenizer, 'a<r>', '  ', ':')).toEqual([['▁a', '<r>'], [], ['▁', ':']]);
    // A prompt's own ids come first: as a text, it has its space.
    expect(split(tokenizer, 'a ', '<l>')).toEqual([['▁a', '▁'], ['<l>']]);
  });

  it('adds its space after an added token before a cut', () => {
    const tokens = [added('<x>'), added('<x>a'), added('<r>', { rstrip: true })];
    for (const json of [prepended, metaspace('always')]) {
      const tokenizer = tokenizerOf({ ...json, added_tokens: tokens });
      expect(split(tokenizer, '<x>', 'a:')).toEqual([['<x>'], ['▁a', ':']]);
      expect(split(tokenizer, 'a', 'b<r>', ' b')).toEqual([['▁a'], ['b', '<r>'], ['▁b']]);
    }
    const tokenizer = tokenizerOf({ ...metaspace('first'), added_tokens: tokens });
    expect(split(tokenizer, '<x>', 'a:')).toEqual([['<x>'], ['a', ':']]);
  });

  it('accepts no pieces, and empty ones', () => {
    const tokenizer = tokenizerOf(prepended);
    expect(tokenizer.encodePieces([], { addSpecialTokens: true })).toEqual([]);
    expect(split(tokenizer, '', '')).toEqual([[], []]);
    expect(split(tokenizer, '', 'b', '', 'c', '')).toEqual([[], ['▁b'], [], ['c'], []]);
    expect(split(tokenizer, 'a', '', 'bc', '')).toEqual([['▁a'], [], ['b', 'c'], []]);
  });
});

interface Goldens {
  models: Record<string, unknown>;
  cases: {
    name: string;
    model: string;
    texts: { text: string }[];
    [component: string]: unknown;
  }[];
}

const goldens =
  process.env.KEEL_TOKENIZER_GOLDENS ?? new URL('fixtures/tokenizer-goldens.json', import.meta.url);

describe('encodePieces of every component', () => {
  const { models, cases } = JSON.parse(readFileSync(goldens, 'utf8')) as Goldens;
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const cut = (text: string): string[] => {
    const characters = Array.from(text);
    const pieces: string[] = [];
    while (characters.length > 0) pieces.push(characters.splice(0, random(7)).join(''));
    return [...pieces, ''].slice(0, Math.max(1, pieces.length + random(2)));
  };
  const fuse = { type: 'Fuse' };
  // Components that process text at a border differently from text in the middle: they join it,
  // remove it (UnicodeScripts drops leading spaces of a text), add word marks, or no longer match
  // it as a token because of its neighbours.
  const isOwnText = (name: string, model: string): boolean =>
    !/NFK?C|Precompiled|Strip|Regex|strip|UnicodeScripts|single_word/.test(name) &&
    !/word|fix/.test(model);

  // No space is added after half of one.
  const isAddedTokenCut = (pieces: string[]): boolean => {
    let at = 0;
    const borders = pieces.map((piece) => {
      at += piece.length;
      return at;
    });
    return Array.from(pieces.join('').matchAll(/<x>a?|hello/g)).some(({ index, 0: token }) =>
      borders.some((border) => border > index && border < index + token.length),
    );
  };

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, {
    name,
    texts,
    ...components
  }) => {
    const json = { ...nothing, ...components, decoder: fuse, model: models[components.model] };
    const tokenizer = tokenizerOf(json);
    const library = new RustTokenizer(checkTokenizerJson(json, name), JSON.stringify(json), name);
    for (const { text } of texts) {
      const whole = tokenizer.encode(text);
      const own = tokenizer.decode(whole);
      for (let time = 0; time < 5; time += 1) {
        const pieces = cut(text);
        const found = tokenizer.encodePieces(pieces);
        expect(found).toHaveLength(pieces.length);
        expect(found[0]).toEqual(tokenizer.encode(pieces[0]!));
        const joined = tokenizer.decode(found.flat());
        if (
          isOwnText(name, components.model) &&
          !isAddedTokenCut(pieces) &&
          !`${own}${joined}`.includes('<unk>')
        ) {
          expect(joined).toBe(own);
        }
      }
      // Nothing is cut at a border of tokens if the text starts as its first piece does.
      const { starts, ends } = library.place([text], 'start')[0]!;
      const bounds = Array.from(ends).filter((end) =>
        Array.from(starts).every((start, at) => start >= end || ends[at]! <= end),
      );
      const border = bounds[random(bounds.length)] ?? 0;
      const first = tokenizer.encode(text.slice(0, border));
      const count = Array.from(ends).filter((end) => end <= border).length;
      if (whole.slice(0, count).join() === first.join()) {
        const found = tokenizer.encodePieces([text.slice(0, border), text.slice(border)]);
        expect(found.flat()).toEqual(whole);
      }
    }
  });
});
