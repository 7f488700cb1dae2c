import { Tokenizer } from '@keel/model';
import { expect, test } from 'vitest';
import { tinyTokenizerJson } from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import { countAnswer } from './counting-later.ts';

const tokenizerOf = (add_prefix_space: boolean): Tokenizer => {
  const json = tinyTokenizerJson();
  const pre_tokenizer = { ...(json.pre_tokenizer as object), add_prefix_space };
  return new Tokenizer({ source: 'test', json: { ...json, pre_tokenizer }, config: {} });
};

test('a space that the tokenizer puts before a text is no token of an answer', () => {
  const [with_, without] = [tokenizerOf(true), tokenizerOf(false)];
  expect(with_.encode('hello')).toHaveLength(2);
  for (const text of ['hello', ' wo', '\n\nhello', '123 4', '']) {
    const expected = without.encode(text).length;
    expect(countAnswer(with_, text)).toBe(expected);
    expect(countAnswer(without, text)).toBe(expected);
  }
});
