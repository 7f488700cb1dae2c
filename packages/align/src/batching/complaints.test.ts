// Complaints of users of other trainers about tokenised rows.
import { Tokenizer } from '@keel/model';
import { expect, test } from 'vitest';
import { tinyTokenizerJson } from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import { tinyTemplate } from '../testing/tiny-chat-model.ts';
import { packPairs } from './pack-pairs.ts';
import { type TokenisedPair, tokenisePair } from './tokenise-pair.ts';

const END = 0;
const BEGIN = 1;

/**
 * Its pad token is its end-of-sequence token, as in many models, and it starts every text with
 * `<|user|>`.
 */
const tokenizer = new Tokenizer({
  source: 'tiny',
  json: {
    ...tinyTokenizerJson(),
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<|user|>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<|user|>': { id: '<|user|>', ids: [BEGIN], tokens: ['<|user|>'] } },
    },
  },
  config: { bos_token: '<|user|>', eos_token: '<|end|>', pad_token: '<|end|>' },
  chatTemplates: { default: tinyTemplate },
});

const plain = { prompt: 'hello', chosen: ' wo', rejected: ' 1234 hello', extra: {} };
const turn = (role: string, content: string) => [{ role, content }];
const chat = {
  prompt: turn('user', 'hello'),
  chosen: turn('assistant', 'wo'),
  rejected: turn('assistant', '1234'),
  extra: {},
};
const tokenise = (row: typeof plain | typeof chat): TokenisedPair =>
  tokenisePair(row, tokenizer, { maxLength: null })!;

test('a real end of sequence is scored, even if it is also the pad token', () => {
  expect(tokenizer.padTokenId).toBe(tokenizer.eosTokenId);
  const pair = tokenise(plain);
  for (const { tokens, scored } of [pair.chosen, pair.rejected]) {
    expect(tokens.at(-1)).toBe(END);
    expect(scored.at(-1)).toBe(true);
  }
  const { scored } = packPairs([pair]);
  expect(scored.targets.filter((token) => token === END)).toHaveLength(2);
});

test('the beginning-of-sequence token precedes a plain prompt once, and never an answer', () => {
  const { prompt, chosen, rejected } = tokenise(plain);
  expect(prompt.filter((token) => token === BEGIN)).toHaveLength(1);
  expect(prompt[0]).toBe(BEGIN);
  expect([...chosen.tokens, ...rejected.tokens]).not.toContain(BEGIN);
});

test("a chat's beginning-of-sequence token comes from the template, and is not doubled", () => {
  const { prompt } = tokenise(chat);
  // One for each of the two headers that the template writes.
  expect(prompt.filter((token) => token === BEGIN)).toHaveLength(2);
  expect(prompt[1]).not.toBe(BEGIN);
});
