import { atOnce, gradcheck, noGrad, Recomputation, randn, type Tensor, tidy } from '@keel/torch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addLora } from '../adapters/lora.ts';
import { LanguageModel } from '../language-model.ts';
import { BatchBuilder, type PackedBatch } from '../packed-batch.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { tinyTokenizerJson } from '../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { headScores, newScoreHead } from './score-head.ts';

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
afterEach(() => model.dispose());

function batchOf(sequences: readonly (readonly number[])[]): {
  batch: PackedBatch;
  ends: Int32Array;
} {
  const builder = new BatchBuilder();
  const ends = sequences.map((tokens) => {
    builder.add(tokens);
    return builder.size - 1;
  });
  return { batch: builder.build(), ends: Int32Array.from(ends) };
}

const read = (batch: PackedBatch, rows: Int32Array, role = 'reference'): number[] =>
  tidy(() =>
    noGrad(() => {
      const { scores } = atOnce(model.asSteps(role, model.readHeadSteps(batch, rows)));
      return scores.reshape(-1).toArray() as number[];
    }),
  );

const sequences = [
  [5, 6, 7, 8, 9],
  [20, 3],
  [11, 12, 13],
];

describe('newScoreHead', () => {
  it('draws head k as a single head with seed + k', () => {
    tidy(() => {
      const three = newScoreHead(model.decoder, { heads: 3, seed: 7 });
      expect([three.shape, three.dtype, three.requiresGrad]).toEqual([[3, 20], 'float32', true]);
      for (const head of [0, 1, 2]) {
        const single = newScoreHead(model.decoder, { seed: 7 + head });
        expect(three.detach().select(0, head).toArray()).toEqual(
          single.detach().select(0, 0).toArray(),
        );
        single.dispose();
      }
      three.dispose();
    });
  });

  it('has the requested deviation', () => {
    using weight = newScoreHead(
      { config: { ...model.decoder.config, hiddenSize: 20_000 } },
      {
        seed: 1,
        deviation: 0.02,
      },
    );
    const values = weight.detach().reshape(-1).toArray() as number[];
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.sqrt(square)).toBeCloseTo(0.02, 3);
  });

  it('refuses an invalid number of heads', () => {
    for (const heads of [0, 1.5]) {
      expect(() => newScoreHead(model.decoder, { heads, seed: 1 })).toThrow(
        `${heads} heads: expected a whole number above 0`,
      );
    }
  });
});

it('headScores has the gradient of central differences', () => {
  tidy(() => {
    const wide = { dtype: 'float64' } as const;
    const inputs = [randn([4, 6], wide), randn([2, 6], wide)].map((one) => one.setRequiresGrad());
    gradcheck(
      (states: Tensor, weight: Tensor) => headScores(states, weight),
      inputs as [Tensor, Tensor],
    );
  });
});

describe('LanguageModel.readHeadSteps', () => {
  it('gives each packed sequence the score that it has alone: states times weights at the row', () => {
    const weight = newScoreHead(model.decoder, { heads: 2, seed: 3 });
    model.addScoreHead('reference', weight);
    const { batch, ends } = batchOf(sequences);
    const together = read(batch, ends);
    const alone = sequences.flatMap((tokens) => {
      const one = batchOf([tokens]);
      return read(one.batch, one.ends);
    });
    for (const [at, score] of together.entries()) expect(score).toBeCloseTo(alone[at]!, 12);
    const [tokens] = sequences;
    const one = batchOf([tokens!]);
    const states = tidy(() =>
      noGrad(() => model.hidden(one.batch).toArray() as unknown),
    ) as number[];
    const last = states.flat().slice(-20) as number[];
    const byHand = last.reduce(
      (sum, x, i) => sum + x * (weight.detach().toArray().flat() as number[])[i]!,
      0,
    );
    expect(alone[0]).toBeCloseTo(byHand, 9);
  });

  it('reads with the head and the adapter of the current role', () => {
    addLora(model.decoder, 'reward', { rank: 2, alpha: 4, targets: ['query'], seed: 1 });
    model.addScoreHead('reward', newScoreHead(model.decoder, { seed: 1 }));
    model.addScoreHead('value', newScoreHead(model.decoder, { seed: 2 }));
    addLora(model.decoder, 'value', { rank: 2, alpha: 4, targets: ['query'], seed: 1 });
    const { batch, ends } = batchOf(sequences);
    expect(read(batch, ends, 'reward')).not.toEqual(read(batch, ends, 'value'));
    expect(() => read(batch, ends)).toThrow(
      'the role "reference" has no scalar head; roles with one: reward, value',
    );
  });

  it('returns the log-probabilities of the same pass, as scoreTokens does', () => {
    model.addScoreHead('reference', newScoreHead(model.decoder, { seed: 1 }));
    const { batch, ends } = batchOf(sequences);
    const scored = { rows: Int32Array.of(0, 1, 7), targets: Int32Array.of(6, 7, 12) };
    tidy(() =>
      noGrad(() => {
        const { tokens, scores } = atOnce(model.readHeadSteps(batch, ends, { scored }));
        const apart = model.scoreTokens(batch, scored);
        expect(tokens!.logprobs.toArray()).toEqual(apart.logprobs.toArray());
        expect(scores.reshape(-1).toArray()).toEqual(read(batch, ends));
        expect(atOnce(model.readHeadSteps(batch, ends)).tokens).toBeNull();
      }),
    );
  });

  it('has the same gradients, bit for bit, with recomputed blocks', () => {
    const parameters = addLora(model.decoder, 'reward', {
      ...{ rank: 2, alpha: 4, targets: 'all-linear', dropout: 0, seed: 1 },
    });
    const head = newScoreHead(model.decoder, { seed: 1 });
    model.addScoreHead('reward', head);
    const { batch, ends } = batchOf(sequences);
    const found = [false, true].map((recomputes) =>
      tidy(() => {
        using recomputation = recomputes ? new Recomputation() : null;
        const steps = model.readHeadSteps(batch, ends, { training: true, recomputation });
        const { scores } = atOnce(model.asSteps('reward', steps));
        const loss = scores.square().sum();
        if (recomputation === null) loss.backward();
        else recomputation.backward(loss);
        return [head, ...parameters.values()].map((parameter) => {
          using gradient = parameter.grad;
          const values = gradient!.toArray();
          parameter.grad = null;
          return values;
        });
      }),
    );
    expect(found[1]).toEqual(found[0]);
  });

  it('refuses a head of another width, a second one, and a pass that reads nothing', () => {
    using other = newScoreHead({ config: { ...model.decoder.config, hiddenSize: 8 } }, { seed: 1 });
    expect(() => model.addScoreHead('reward', other)).toThrow(/\[1, 8\].*\[heads, 20\]/);
    model.addScoreHead('reference', newScoreHead(model.decoder, { seed: 1 }));
    using second = newScoreHead(model.decoder, { seed: 1 });
    expect(() => model.addScoreHead('reference', second)).toThrow(/"reference" already has/);
    const { batch } = batchOf(sequences);
    expect(() => read(batch, new Int32Array())).toThrow('no token of the batch is read');
  });
});
