import { fromTypedArray, noGrad, type Tensor, tidy } from '@keel/torch';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addLora } from './adapters/lora.ts';
import { LanguageModel } from './language-model.ts';
import { disposeDecoder } from './loading/named-weights.ts';
import { BatchBuilder } from './packed-batch.ts';
import { tinyDecoder } from './testing/tiny-decoder.ts';
import { tinyTokenizerJson } from './tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from './tokenizer/tokenizer.ts';

let model: LanguageModel;
beforeEach(() => {
  model = new LanguageModel({
    decoder: tinyDecoder(),
    tokenizer: new Tokenizer({ source: 'tiny', json: tinyTokenizerJson(), config: {} }),
    device: 'cpu',
    configJson: {},
    name: 'tiny',
    hash: async () => '',
  });
});
afterEach(() => disposeDecoder(model.decoder));

const lay = (name: string): Tensor[] => [
  ...addLora(model.decoder, name, { rank: 2, alpha: 4, targets: ['query'], seed: 1 }).values(),
];
const states = (): number[] => {
  const builder = new BatchBuilder();
  builder.add([5, 6, 7]);
  const batch = builder.build();
  return tidy(() => noGrad(() => [...model.hidden(batch).reshape(-1).toArray()] as number[]));
};

it('runs in the given role, and restores the previous one', () => {
  const parameters = lay('policy');
  tidy(() =>
    noGrad(() => {
      for (const tensor of parameters) tensor.copy_(fromTypedArray(Float32Array.of(0.3)));
    }),
  );
  const base = states();
  model.as('policy', () => {
    expect(model.activeAdapter).toBe('policy');
    expect(states()).not.toEqual(base);
    model.as('reference', () => expect(states()).toEqual(base));
    expect(model.activeAdapter).toBe('policy');
  });
  expect(model.activeAdapter).toBeNull();
  expect(states()).toEqual(base);
});

it('refuses a role without an adapter, naming the existing ones', () => {
  expect(() => model.as('policy', () => 1)).toThrow(
    new RangeError('there is no adapter "policy": this model has none'),
  );
  expect(model.as('reference', () => 1)).toBe(1);
  lay('policy');
  lay('other');
  expect(() => model.as('polcy', () => 1)).toThrow(
    new RangeError('there is no adapter "polcy": this model has policy, other'),
  );
  expect(model.activeAdapter).toBeNull();
});

it('reserves the name of the base', () => {
  expect(() => lay('reference')).toThrow(/cannot be named "reference"/);
});

it('refuses a function that returns a promise', () => {
  expect(() => model.as('reference', async () => 1)).toThrow('takes a synchronous function');
});

it('scores tokens at a temperature, as a sampler does', () => {
  const builder = new BatchBuilder();
  builder.add([5, 6, 7, 8]);
  const batch = builder.build();
  const scored = { rows: Int32Array.of(0, 2), targets: Int32Array.of(6, 8) };
  tidy(() =>
    noGrad(() => {
      const logits = model.decoder.logits(model.hidden(batch)); // [T, V]
      for (const temperature of [1, 0.5, 3]) {
        const { logprobs, entropy } = model.scoreTokens(batch, scored, { temperature });
        const expected = logits.div(temperature).logSoftmax(-1);
        const found = [
          [0, 6],
          [2, 8],
        ].map(([row, token]) => expected.select(0, row!).select(0, token!).item());
        logprobs.toArray().forEach((one, at) => void expect(one).toBeCloseTo(found[at]!, 10));
        const surprise = expected.exp().mul(expected).sum(-1).neg();
        expect(entropy.toArray()[1]).toBeCloseTo(surprise.toArray()[2]!, 10);
      }
    }),
  );
});

it('scores tokens among the allowed ones, at any temperature', () => {
  const builder = new BatchBuilder();
  builder.add([5, 6, 7, 8]);
  const batch = builder.build();
  const allowedTokens = [[6, 9, 11], [8, 40], [7]];
  const words = Math.ceil(model.decoder.config.vocabularySize / 32);
  const allowed = new Int32Array(3 * words);
  for (const [row, tokens] of allowedTokens.entries())
    for (const token of tokens) allowed[row * words + (token >> 5)]! |= 1 << (token & 31);
  const scored = { rows: Int32Array.of(0, 2, 1), targets: Int32Array.of(6, 8, 7), allowed };
  tidy(() =>
    noGrad(() => {
      const logits = model.decoder.logits(model.hidden(batch)); // [T, V]
      for (const temperature of [1, 0.5, 3]) {
        const options = { temperature, collision: temperature === 1 };
        const found = model.scoreTokens(batch, scored, options);
        for (const [at, tokens] of allowedTokens.entries()) {
          const own = logits.select(0, scored.rows[at]!).toArray() as number[];
          const weights = tokens.map((token) => Math.exp(own[token]! / temperature));
          const sum = weights.reduce((total, one) => total + one, 0);
          const p = weights.map((one) => one / sum);
          const target = p[tokens.indexOf(scored.targets[at]!)]!;
          expect(found.logprobs.toArray()[at]).toBeCloseTo(Math.log(target), 10);
          const entropy = -p.reduce((total, one) => total + one * Math.log(one), 0);
          expect(found.entropy.toArray()[at]).toBeCloseTo(entropy, 10);
          expect(found.argmax.toArray()[at]).toBe(tokens[p.indexOf(Math.max(...p))]);
          if (found.collision === undefined) continue;
          const equal = p.reduce((total, one) => total + one * one, 0);
          expect(found.collision.toArray()[at]).toBeCloseTo(Math.log(equal), 10);
        }
      }
    }),
  );
});
