import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, BatchBuilder, type LanguageModel, namedWeights } from '@keel/model';
import {
  AdamW,
  fromTypedArray,
  manualSeed,
  noGrad,
  randomState,
  setRandomState,
  setThreads,
  type Tensor,
  tidy,
} from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { scoredCount, type TokenisedExample } from '../../batching/tokenise-example.ts';
import { loadTiny, rowsOf, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyExamples } from '../../testing/tiny-examples.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { ExampleSource } from './example-source.ts';
import { SupervisedTask } from './supervised-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-supervised-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = tinyExamples(16);
const ofRows = (size: number): MicroBatchLimit => ({ rows: size, tokens: null });

interface Setting {
  lora?: boolean;
  dropout?: number;
  limit?: MicroBatchLimit;
  neftuneAlpha?: number | null;
  evaluationBatch?: number;
  recomputes?: boolean;
}

interface Training extends Disposable {
  model: LanguageModel;
  parameters: Map<string, Tensor>;
  source: ExampleSource;
  evaluation: ExampleSource;
  task: SupervisedTask;
}

async function training({
  lora = false,
  dropout = 0,
  limit = ofRows(8),
  neftuneAlpha = null,
  evaluationBatch,
  recomputes = false,
}: Setting = {}): Promise<Training> {
  manualSeed(1);
  const model = await loadTiny(folder, 'float64', !lora);
  const adapter = { rank: 4, alpha: 8, dropout, targets: 'all-linear' as const, seed: 1 };
  const parameters = lora ? addLora(model.decoder, 'policy', adapter) : namedWeights(model.decoder);
  const usual = { seed: 3, maxLength: null, rules: defaultScoring };
  const source = new ExampleSource(rowsOf(rows), model.tokenizer, { ...usual, shuffle: true });
  const evaluation = new ExampleSource(rowsOf(rows.slice(0, 7)), model.tokenizer, {
    ...usual,
    shuffle: false,
    option: '--eval-data',
  });
  const role = lora ? 'policy' : 'reference';
  const batchSize = evaluationBatch ?? 8;
  return {
    ...{ model, parameters, source, evaluation },
    task: new SupervisedTask({
      ...{ model, role, source, evaluation, batchSize, limit, neftuneAlpha },
      recomputes: () => recomputes,
    }),
    [Symbol.dispose]() {
      for (const parameter of parameters.values()) parameter.grad = null;
      model.dispose();
    },
  };
}

/** Without packing: one row, all logits. Numbers of its scored tokens. */
function unpacked(model: LanguageModel, { tokens, scored }: TokenisedExample) {
  return tidy(() =>
    noGrad(() => {
      const builder = new BatchBuilder();
      builder.add(tokens);
      const logprobs = model.decoder.logits(model.hidden(builder.build())).logSoftmax(1); // [T, V]
      const targets = fromTypedArray(Int32Array.from(tokens.slice(1))).to('int64');
      const before = logprobs.narrow(0, 0, tokens.length - 1);
      const gathered = before.gather(1, targets.unsqueeze(1)).squeeze(1).toArray() as number[];
      const entropies = before.exp().mul(before).sum(1).neg().toArray() as number[];
      const best = before.argmax(1).toArray() as number[];
      return gathered.flatMap((logprob, at) =>
        scored[at + 1]
          ? [{ logprob, entropy: entropies[at]!, hit: Number(best[at]) === tokens[at + 1] }]
          : [],
      );
    }),
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('metrics', () => {
  it('are means over the scored tokens of all rows, as computed row by row', async () => {
    using one = await training({ limit: ofRows(3) });
    const placed = (await one.evaluation.read([0, 1, 2, 3, 4, 5, 6])).map(({ example }) => example);
    const byRow = placed.map((example) => unpacked(one.model, example));
    expect(byRow.map(({ length }) => length)).toEqual(placed.map(scoredCount));
    const tokens = byRow.flat();
    const metrics = (await one.task.evaluate())!;
    const loss = -mean(tokens.map(({ logprob }) => logprob));
    expect(metrics.loss).toBeCloseTo(loss, 10);
    expect(metrics.perplexity).toBeCloseTo(Math.exp(loss), 7);
    expect(metrics.entropy).toBeCloseTo(mean(tokens.map(({ entropy }) => entropy)), 10);
    expect(metrics.mean_token_accuracy).toBeCloseTo(mean(tokens.map(({ hit }) => Number(hit))), 12);
    // A mean of the rows' means would differ for these rows.
    const ofMeans = -mean(byRow.map((row) => mean(row.map(({ logprob }) => logprob))));
    expect(Math.abs(ofMeans - loss)).toBeGreaterThan(1e-4);
  });

  it.each([1, 3, 4, 7])('of an evaluation do not depend on batches of %i rows', async (size) => {
    using whole = await training();
    using parts = await training({ evaluationBatch: size, limit: { rows: null, tokens: 60 } });
    const [expected, found] = [await whole.task.evaluate(), await parts.task.evaluate()];
    for (const [name, value] of Object.entries(expected!)) {
      expect(found![name], name).toBeCloseTo(value, 9);
    }
  });

  it('count every token, and epochs', async () => {
    using one = await training();
    const first = await one.task.step();
    const second = await one.task.step();
    expect([first.epoch, second.epoch]).toEqual([0.5, 1]);
    const all = await one.source.read(rows.map((_, row) => row));
    const tokens = all.reduce((sum, { example }) => sum + example.tokens.length, 0);
    expect(second.num_tokens).toBe(tokens);
    expect(one.task.tokens).toBe(tokens);
    expect(one.task.rows).toHaveLength(8);
  });
});

describe('accumulation', () => {
  it.each([
    ['LoRA', true],
    ['full', false],
  ])('1x8, 2x4, 8x1 and passes by tokens give the same gradient: %s', async (_, lora) => {
    const limits = [...[8, 4, 1].map(ofRows), { rows: null, tokens: 50 }];
    const results = [];
    for (const limit of limits) {
      using one = await training({ lora, limit });
      const { loss } = await one.task.step();
      const gradients = [...one.parameters].map(([name, parameter]) => {
        using gradient = parameter.grad;
        return [name, (gradient?.toArray() ?? []) as number[]] as const;
      });
      results.push({ loss: loss!, gradients: new Map(gradients) });
    }
    const [whole, ...others] = results;
    const size = (values: Iterable<number>): number => Math.hypot(...values);
    for (const { loss, gradients } of others) {
      expect(loss).toBeCloseTo(whole!.loss, 10);
      for (const [name, expected] of whole!.gradients) {
        const found = gradients.get(name)!;
        expect(found).toHaveLength(expected.length);
        const off = size(found.map((value, i) => value - expected[i]!));
        // Trained parameters are float32.
        expect(off, name).toBeLessThanOrEqual(1e-6 * size(expected) + 1e-12);
      }
    }
    expect(size([...whole!.gradients.values()].flat())).toBeGreaterThan(1e-3);
  });
});

describe('NEFTune', () => {
  it('changes the training loss, but no evaluation', async () => {
    using plain = await training();
    using noisy = await training({ neftuneAlpha: 10 });
    expect((await noisy.task.evaluate())!).toEqual((await plain.task.evaluate())!);
    const [without, with_] = [await plain.task.step(), await noisy.task.step()];
    expect(Math.abs(with_.loss! - without.loss!)).toBeGreaterThan(1e-3);
  });

  it('draws from the random state: the same state gives the same noise', async () => {
    using one = await training({ neftuneAlpha: 10 });
    const random = randomState('cpu');
    const state = tidy(() => one.task.state().values);
    const first = await one.task.step();
    one.task.restore({ values: state, tensors: new Map() });
    expect((await one.task.step()).loss).not.toBe(first.loss);
    one.task.restore({ values: state, tensors: new Map() });
    setRandomState(random, 'cpu');
    expect((await one.task.step()).loss).toBe(first.loss);
  });
});

it('gives the same gradient, bit for bit, with recomputed activations', async () => {
  const found = [];
  for (const recomputes of [false, true]) {
    using one = await training({ lora: true, dropout: 0.2, neftuneAlpha: 5, recomputes });
    await one.task.step();
    const gradients = [...one.parameters.values()].map((parameter) => {
      using gradient = parameter.grad;
      return gradient!.toArray();
    });
    found.push(gradients);
  }
  expect(found[1]).toEqual(found[0]);
});

it('refuses the state of another run, and changes nothing', async () => {
  using one = await training();
  await one.task.step();
  const before = one.task.state();
  const refused = (own: object, message: RegExp): void =>
    expect(() =>
      one.task.restore({ values: { ...before.values, ...own }, tensors: new Map() }),
    ).toThrow(message);
  refused({ tokens: undefined }, /not one of a supervised run/);
  refused({ sampler: null }, /not one of a supervised run/);
  refused({ sampler: { epoch: 0, index: 17 } }, /index: .* from 0 to 16, found 17/);
  expect(one.task.state()).toEqual(before);
});

it('stops at a loss that is not finite, and names the rows of its pass', async () => {
  using one = await training({ lora: true, limit: ofRows(2) });
  // Weights that were not finite from the start would be named instead.
  await one.task.evaluate();
  for (const [name, b] of one.parameters) if (name.includes('lora_B')) b.detach().fill_(Number.NaN);
  const error = await one.task.step().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect((error as NonFiniteLossError).rows).toEqual(one.task.rows.slice(0, 2));
  const held = await one.task.evaluate().catch((thrown: unknown) => thrown);
  expect(held).toMatchObject({ rows: [0, 1], heldOut: true });
});

it.each([
  ['LoRA with dropout and noise', { lora: true, dropout: 0.2, neftuneAlpha: 5 }],
  ['full', {}],
] as [string, Setting][])('holds the same memory after every step: %s', async (_, setting) => {
  using one = await training({ ...setting, limit: ofRows(3) });
  const optimiser = new AdamW(one.parameters);
  const step = async (): Promise<void> => {
    await one.task.step();
    optimiser.step(1e-3);
    optimiser.zeroGrad();
    await one.task.evaluate();
  };
  await step();
  const before = await liveMemory();
  for (let i = 0; i < 3; i++) await step();
  expect(await liveMemory()).toEqual(before);
  optimiser.dispose();
});
