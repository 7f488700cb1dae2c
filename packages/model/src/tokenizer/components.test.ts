/**
 * Compares every component and flag of a tokenizer.json with the Rust library itself (tokenizers
 * 0.23.3). fixtures/make-tokenizer-goldens.py writes the goldens, and documents how to compare many
 * more texts.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RustTokenizer } from './rust-tokenizer.ts';
import { Tokenizer } from './tokenizer.ts';
import { checkTokenizerJson } from './tokenizer-json.ts';

interface Golden {
  text: string;
  ids: number[];
  /** Start and end of each token, in code points. */
  offsets: number[];
  decoded: string;
  random: number[];
  /** Without special tokens. */
  decodedRandom: string;
}

interface Goldens {
  models: Record<string, unknown>;
  cases: {
    name: string;
    model: string;
    added_tokens: unknown[];
    texts: Golden[];
    [component: string]: unknown;
  }[];
}

const file =
  process.env.KEEL_TOKENIZER_GOLDENS ?? new URL('fixtures/tokenizer-goldens.json', import.meta.url);
const { models, cases } = JSON.parse(readFileSync(file, 'utf8')) as Goldens;

/** In UTF-16 units. */
const unitsOf = ({ text, offsets }: Golden): number[] => {
  const points = Array.from(text);
  return offsets.map((offset) => points.slice(0, offset).join('').length);
};

describe('the components of a tokenizer.json', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, {
    name,
    texts,
    ...components
  }) => {
    const json = {
      version: '1.0',
      truncation: null,
      padding: null,
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      ...components,
      model: models[components.model],
    };
    if (name.startsWith('decoder Replace') && name.includes('"Regex"')) {
      // Its pattern would run where nothing can interrupt it.
      expect(() => new Tokenizer({ source: name, json, config: {} })).toThrow(/regular expression/);
      return;
    }
    const tokenizer = new Tokenizer({ source: name, json, config: {} });
    const library = new RustTokenizer(checkTokenizerJson(json, name), JSON.stringify(json), name);
    const placed = library.place(
      texts.map(({ text }) => text),
      'start',
    );
    const found = texts.map(({ text, ids, random }, index) => {
      const { starts, ends, ids: same } = placed[index]!;
      const whole = tokenizer.encode(text);
      expect(Array.from(same)).toEqual(whole);
      return {
        text,
        ids: whole,
        offsets: Array.from(starts, (start, at) => [start, ends[at]]).flat(),
        decoded: tokenizer.decode(ids),
        random,
        decodedRandom: tokenizer.decode(random, { skipSpecialTokens: true }),
      };
    });
    expect(found).toEqual(texts.map((golden) => ({ ...golden, offsets: unitsOf(golden) })));
  });
});
