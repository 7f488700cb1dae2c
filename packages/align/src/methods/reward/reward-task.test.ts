import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, type LanguageModel, namedWeights, newScoreHead, SCORE_WEIGHT } from '@keel/model';
import { pearson } from '@keel/statistics';
import {
  AdamW,
  manualSeed,
  memory,
  noGrad,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import type { JudgedOptions } from '../../batching/tokenise-judged.ts';
import type { JudgedRow } from '../../data/rows.ts';
import { seesRow } from '../../rewards/head-subsets.ts';
import { scoreAnswers } from '../../rewards/score-answers.ts';
import { loadTiny, rowsOf, tinyRows, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyJudged } from '../../testing/tiny-judged.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { JudgedSource } from './judged-source.ts';
import { RewardTask, type RewardTaskParts } from './reward-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-task-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = tinyJudged(16);
/** Rows without step labels. */
const compared = tinyJudged(24)
  .filter((row) => !('labels' in row))
  .slice(0, 16);
const lengthHead = { correlation: 0.7, orthogonality: 0.3 };
const ofRows = (size: number): MicroBatchLimit => ({ rows: size, tokens: null });

interface Setting
  extends Partial<
    Pick<RewardTaskParts, 'limit' | 'lmWeight' | 'objective' | 'subsets' | 'lengthHead'>
  > {
  lora?: boolean;
  heads?: number;
  headSeed?: number;
  rows?: readonly JudgedRow[];
  evaluationBatch?: number;
  recomputes?: boolean;
  type?: 'float64' | 'float32' | 'bfloat16';
}

interface Training extends Disposable {
  model: LanguageModel;
  head: Tensor;
  parameters: Map<string, Tensor>;
  source: JudgedSource;
  task: RewardTask;
}

async function training(setting: Setting = {}): Promise<Training> {
  const { lora = true, heads = 1, headSeed = 5, recomputes = false, type = 'float64' } = setting;
  manualSeed(1);
  const model = await loadTiny(folder, type, !lora);
  const adapter = { rank: 4, alpha: 8, targets: 'all-linear' as const, seed: 1 };
  const role = lora ? 'reward' : 'reference';
  const parameters = lora ? addLora(model.decoder, role, adapter) : namedWeights(model.decoder);
  const head = newScoreHead(model.decoder, { heads, seed: headSeed, deviation: 0.3 });
  model.addScoreHead(role, head);
  parameters.set(SCORE_WEIGHT, head);
  const reading: Omit<JudgedOptions, 'maxLength'> = {
    ...{ readAt: 'last', padTokenId: null, stepSeparator: '\n', margin: 'row', marginScale: 1 },
  };
  const usual = { seed: 3, maxLength: null, reading };
  const own = setting.rows ?? rows;
  const source = new JudgedSource(rowsOf(own), model.tokenizer, { ...usual, shuffle: true });
  const evaluation = new JudgedSource(rowsOf(own.slice(0, 7)), model.tokenizer, {
    ...usual,
    shuffle: false,
    option: '--eval-data',
  });
  return {
    ...{ model, head, parameters, source },
    task: new RewardTask({
      ...{ model, role, source, evaluation },
      batchSize: setting.evaluationBatch ?? 8,
      limit: setting.limit ?? ofRows(8),
      objective: setting.objective ?? { rankingLoss: 'plackett_luce', centring: 0.01 },
      lmWeight: setting.lmWeight ?? 0,
      subsets: setting.subsets ?? { seed: 1, share: 1 },
      recomputes: () => recomputes,
      lengthHead: setting.lengthHead ?? null,
    }),
    [Symbol.dispose]() {
      for (const parameter of parameters.values()) parameter.grad = null;
      model.dispose();
    },
  };
}

const tidyRows = (weight: Tensor): number[][] =>
  tidy(() => [0, 1].map((row) => [...weight.detach().select(0, row).toArray()].map(Number)));

type Gradients = Map<string, number[]>;

const gradientsOf = (parameters: ReadonlyMap<string, Tensor>): Gradients =>
  new Map(
    [...parameters].map(([name, parameter]) => {
      using gradient = parameter.grad;
      return [name, (gradient?.reshape(-1).toArray() ?? []) as number[]];
    }),
  );

const size = (values: Iterable<number>): number => Math.hypot(...values);

function expectSameGradients(found: Gradients, expected: Gradients, within = 1e-6): void {
  for (const [name, whole] of expected) {
    const own = found.get(name)!;
    expect(own, name).toHaveLength(whole.length);
    const off = size(own.map((value, i) => value - whole[i]!));
    // Trained parameters are float32.
    expect(off, name).toBeLessThanOrEqual(within * size(whole) + 1e-10);
  }
  expect(size([...expected.values()].flat())).toBeGreaterThan(1e-3);
}

const s = (x: number): number => 1 / (1 + Math.exp(-x));

describe('the loss', () => {
  it('is the mean of single rows, whose scores are read without packing', async () => {
    for (const rankingLoss of ['plackett_luce', 'all_pairs'] as const) {
      using one = await training({ objective: { rankingLoss, centring: 0 } });
      const placed = await one.source.read(rows.map((_, row) => row));
      const byHand: number[] = [];
      for (const { judged } of placed.slice(0, 7)) {
        const alone = await scoreAnswers(one.model, 'reward', [judged]);
        const scores = alone[0]!.map(([score]) => score!);
        const { verdict } = judged;
        if (verdict.kind === 'pair') {
          byHand.push(-Math.log(s(scores[0]! - scores[1]! - verdict.margin)));
        } else if (verdict.kind === 'process') {
          for (const [step, right] of verdict.labels.entries()) {
            byHand.push(-Math.log(s(right ? scores[step]! : -scores[step]!)));
          }
        } else {
          const { ranks } = verdict;
          const terms = scores.flatMap((score, i) => {
            const below = scores.filter((_, j) => ranks[j]! > ranks[i]!);
            return rankingLoss === 'all_pairs'
              ? below.map((worse) => -Math.log(s(score - worse)))
              : [Math.log(1 + below.reduce((sum, worse) => sum + Math.exp(worse - score), 0))];
          });
          const sum = terms.reduce((a, b) => a + b, 0);
          byHand.push(rankingLoss === 'all_pairs' ? sum / terms.length : sum);
        }
      }
      const { loss } = (await one.task.evaluate())!;
      expect(loss).toBeCloseTo(byHand.reduce((a, b) => a + b, 0) / byHand.length, 9);
    }
  });

  it('of pairs does not depend on a shift of all rewards, but centring does', async () => {
    const pairs = tinyRows(8);
    const losses: number[][] = [];
    for (const centring of [0, 0.01]) {
      const objective = { rankingLoss: 'plackett_luce' as const, centring };
      const own: number[] = [];
      for (const shift of [0, 3]) {
        using one = await training({ rows: pairs, objective, lora: false });
        const shifted = one.model.readHeadSteps.bind(one.model);
        one.model.readHeadSteps = function* (...given) {
          const found = yield* shifted(...given);
          return { ...found, scores: found.scores.add(shift) };
        };
        own.push((await one.task.evaluate())!.loss!);
      }
      losses.push(own);
    }
    expect(losses[0]![1]).toBeCloseTo(losses[0]![0]!, 12);
    expect(Math.abs(losses[1]![1]! - losses[1]![0]!)).toBeGreaterThan(0.01);
  });

  it('is ln 2 for a pair if every score is 0', async () => {
    using one = await training({
      rows: tinyRows(8),
      objective: { rankingLoss: 'plackett_luce', centring: 0 },
    });
    noGrad(() => one.head.zero_());
    const metrics = (await one.task.evaluate())!;
    expect(metrics.loss).toBeCloseTo(Math.LN2, 12);
    // A tie counts as half.
    expect(metrics.accuracy).toBe(0.5);
  });

  it('adds the mean token loss of the best answers, computed in the same pass', async () => {
    using plain = await training();
    using with_ = await training({ lmWeight: 0.25 });
    const [apart, together] = [(await plain.task.evaluate())!, (await with_.task.evaluate())!];
    expect(together.reward_loss).toBeCloseTo(apart.loss!, 12);
    expect(together.loss).toBeCloseTo(apart.loss! + 0.25 * together.lm_loss!, 12);
    expect(together.lm_loss).toBeGreaterThan(1);
    expect(apart.lm_loss).toBeUndefined();
  });
});

describe('accumulation', () => {
  it.each([
    ['LoRA', { lora: true }],
    ['full, with a language-model term', { lora: false, lmWeight: 0.5 }],
    ['three heads with shares', { heads: 3, subsets: { seed: 1, share: 0.6 } }],
    ['quality and length', { heads: 2, lengthHead, rows: compared }],
    ['all pairs', { objective: { rankingLoss: 'all_pairs', centring: 0.1 } }],
  ] as [
    string,
    Setting,
  ][])('1x8, 2x4, 8x1 and passes by tokens give the same gradient: %s', async (_, setting) => {
    const limits = [...[8, 4, 1].map(ofRows), { rows: null, tokens: 60 }];
    const results: { metrics: Record<string, number>; gradients: Gradients }[] = [];
    for (const limit of limits) {
      using one = await training({ ...setting, limit });
      const metrics = await one.task.step();
      results.push({ metrics, gradients: gradientsOf(one.parameters) });
    }
    const [whole, ...others] = results;
    for (const { metrics, gradients } of others) {
      for (const [name, value] of Object.entries(whole!.metrics)) {
        expect(metrics[name], name).toBeCloseTo(value, 9);
      }
      expectSameGradients(gradients, whole!.gradients);
    }
  });
});

describe('heads', () => {
  it('have the losses and gradients of K single heads, divided by K', async () => {
    using three = await training({ heads: 3, headSeed: 5 });
    const { loss } = await three.task.step();
    const together = gradientsOf(three.parameters);
    const width = together.get(SCORE_WEIGHT)!.length / 3;
    const losses: number[] = [];
    const summed = new Map<string, number[]>();
    for (const head of [0, 1, 2]) {
      using one = await training({ headSeed: 5 + head });
      losses.push((await one.task.step()).loss!);
      for (const [name, values] of gradientsOf(one.parameters)) {
        if (name === SCORE_WEIGHT) {
          const own = together.get(name)!.slice(head * width, (head + 1) * width);
          const off = size(values.map((value, i) => value / 3 - own[i]!));
          expect(off).toBeLessThan(1e-6 * size(values));
        } else {
          const sum = summed.get(name) ?? values.map(() => 0);
          summed.set(
            name,
            values.map((value, i) => sum[i]! + value / 3),
          );
        }
      }
    }
    expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 3, 9);
    together.delete(SCORE_WEIGHT);
    expectSameGradients(together, summed);
  });

  it('have a gradient from their own rows only, and none in steps without any', async () => {
    const share = 0.5;
    // With this seed, head 1 sees none of the step's rows and head 0 at least one.
    using probe = await training({ heads: 2 });
    await probe.task.step();
    const sees = (seed: number, head: number): number =>
      probe.task.rows.filter((row) => seesRow({ seed, share }, head, row)).length;
    const seed = Array.from({ length: 20_000 }, (_, at) => at).find(
      (one) => sees(one, 1) === 0 && sees(one, 0) > 0,
    )!;
    using two = await training({ heads: 2, subsets: { seed, share } });
    await two.task.step();
    const gradient = gradientsOf(two.parameters).get(SCORE_WEIGHT)!;
    const half = gradient.length / 2;
    expect(size(gradient.slice(0, half))).toBeGreaterThan(0);
    expect(size(gradient.slice(half))).toBe(0);
  });
});

describe('a length head', () => {
  it('ranks by the sum of both heads, and adds correlations and overlap of the whole step', async () => {
    using plain = await training({ heads: 2, lengthHead, rows: compared });
    const placed = await plain.source.read(compared.slice(0, 8).map((_, row) => row));
    const [first, second] = tidyRows(plain.head) as [number[], number[]];
    const [quality, length, tokens] = [[], [], []] as number[][];
    for (const { judged } of placed) {
      const [scores] = await scoreAnswers(plain.model, 'reward', [judged]);
      quality!.push(...scores!.map(([one]) => one! / size(first)));
      length!.push(...scores!.map(([, other]) => other! / size(second)));
      tokens!.push(...judged.answers.map((answer) => answer.tokens.length));
    }
    const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const overlap = Math.abs(dot(first, second)) / (size(first) * size(second));
    const rho = (own: number[]): number => pearson(tokens!, own)!.value;
    using shuffled = await training({ heads: 2, lengthHead, rows: compared.slice(0, 8) });
    const step = await shuffled.task.step();
    expect(step['length_head/correlation']).toBeCloseTo(rho(length!), 6);
    expect(step.length_correlation).toBeCloseTo(rho(quality!), 6);
    expect(step['length_head/overlap']).toBeCloseTo(overlap, 6);
    const terms = 0.7 * (Math.abs(rho(quality!)) - rho(length!)) + 0.3 * overlap;
    expect(step.loss).toBeCloseTo(step.reward_loss! + terms, 6);
    // The loss of comparisons is that of a single head, the sum of both with the norm 1.
    using summed = await training({ rows: compared.slice(0, 8) });
    const norms = tensor([[size(first)], [size(second)]]);
    tidy(() => noGrad(() => summed.head.copy_(plain.head.div(norms).sum(0, true))));
    expect((await summed.task.step()).loss).toBeCloseTo(step.reward_loss!, 6);
    expect(step.mean_reward).toBeCloseTo(
      quality!.reduce((sum, one) => sum + one, 0) / quality!.length,
      6,
    );
  });
});

describe('metrics', () => {
  it.each([
    1, 3, 7,
  ])('of an evaluation do not depend on batches of %i rows', async (evaluationBatch) => {
    using whole = await training();
    using parts = await training({ evaluationBatch, limit: { rows: null, tokens: 60 } });
    const [expected, found] = [await whole.task.evaluate(), await parts.task.evaluate()];
    for (const name of ['loss', 'accuracy', 'margin', 'calibration_error', 'length_correlation']) {
      expect(expected![name], name).toEqual(expect.any(Number));
      expect(found![name], name).toBeCloseTo(expected![name]!, 9);
    }
  });

  it('count tokens as TRL does, with the prompt once per answer', async () => {
    using one = await training({ rows: tinyRows(8) });
    const { num_tokens, epoch } = await one.task.step();
    const placed = await one.source.read([0, 1, 2, 3, 4, 5, 6, 7]);
    const tokens = placed.reduce(
      (sum, { judged: { prompt, answers } }) =>
        answers.reduce((all, answer) => all + prompt.length + answer.tokens.length, sum),
      0,
    );
    expect([num_tokens, epoch]).toEqual([tokens, 1]);
  });
});

it('bfloat16 agrees with float32 within its rounding', async () => {
  const losses: number[] = [];
  for (const type of ['float32', 'bfloat16'] as const) {
    using one = await training({ type });
    losses.push((await one.task.step()).loss!);
  }
  expect(losses[1]).not.toBe(losses[0]);
  expect(Math.abs(losses[1]! - losses[0]!)).toBeLessThan(0.02 * losses[0]!);
});

it('gives the same gradient, bit for bit, with recomputed activations', async () => {
  const found: Gradients[] = [];
  for (const recomputes of [false, true]) {
    using one = await training({ lora: false, lmWeight: 0.5, heads: 2, recomputes });
    await one.task.step();
    found.push(gradientsOf(one.parameters));
  }
  expect(found[1]).toEqual(found[0]);
});

it('stops at a loss that is not finite, and names the rows of its pass', async () => {
  using one = await training({ limit: ofRows(2) });
  // Weights that were not finite from the start would be named instead.
  await one.task.evaluate();
  tidy(() => noGrad(() => one.head.copy_(tensor(Number.NaN))));
  const error = await one.task.step().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect((error as NonFiniteLossError).rows).toEqual(one.task.rows.slice(0, 2));
});

it('uses the same memory after every step', async () => {
  using one = await training({ heads: 2, lmWeight: 0.1, limit: ofRows(3) });
  const optimiser = new AdamW(one.parameters);
  const step = async (): Promise<void> => {
    await one.task.step();
    optimiser.step(1e-3);
    optimiser.zeroGrad();
    await one.task.evaluate();
  };
  await step();
  const before = memory();
  for (let i = 0; i < 3; i++) await step();
  expect(memory()).toEqual(before);
  optimiser.dispose();
});
