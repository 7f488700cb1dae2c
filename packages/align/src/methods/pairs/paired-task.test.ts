import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, type LanguageModel, namedWeights } from '@keel/model';
import {
  AdamW,
  clipGradients,
  manualSeed,
  memory,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import type { PairedObjective } from '../../objectives/paired.ts';
import { pairedObjective } from '../../objectives/registry.ts';
import { precompute as precomputeReference } from '../../reference/open-reference.ts';
import { RowReference } from '../../reference/reference.ts';
import { loadTiny, rowsOf, tinyRows, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import { PairSource, pairPacking } from './pair-source.ts';
import { PairedTask, type PairedTaskParts } from './paired-task.ts';
import { pairScoring } from './score-pairs.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-task-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = tinyRows(16);

interface Setting {
  lora: boolean;
  computeType?: 'float32' | 'bfloat16' | 'float64';
  dropout?: number;
  limit?: MicroBatchLimit;
  precompute?: boolean;
  objective?: PairedObjective;
  evaluationLength?: number | null;
  recomputes?: boolean;
}

class Training implements Disposable {
  readonly model: LanguageModel;
  readonly parameters: Map<string, Tensor>;
  readonly task: PairedTask;

  constructor(model: LanguageModel, parameters: Map<string, Tensor>, parts: PairedTaskParts) {
    this.model = model;
    this.parameters = parameters;
    this.task = new PairedTask(parts);
  }

  gradients(): Map<string, number[]> {
    const found = [...this.parameters].map(([name, parameter]) => {
      using gradient = parameter.grad;
      return [name, gradient?.toArray() ?? []] as const;
    });
    return new Map(found);
  }

  [Symbol.dispose](): void {
    for (const parameter of this.parameters.values()) parameter.grad = null;
    this.model.dispose();
  }
}

async function training({
  lora,
  computeType = 'float32',
  dropout = 0,
  limit = { rows: null, tokens: null },
  precompute = !lora,
  objective = pairedObjective('sigmoid'),
  evaluationLength = null,
  recomputes = false,
}: Setting): Promise<Training> {
  manualSeed(1);
  const model = await loadTiny(folder, computeType, !lora);
  const parameters = lora
    ? addLora(model.decoder, 'policy', {
        rank: 4,
        alpha: 8,
        dropout,
        targets: 'all-linear',
        seed: 1,
      })
    : namedWeights(model.decoder);
  const source = new PairSource(rowsOf(rows), model.tokenizer, {
    seed: 3,
    shuffle: true,
    maxLength: null,
  });
  const evaluation = new PairSource(rowsOf(rows.slice(0, 5)), model.tokenizer, {
    ...{ seed: 3, shuffle: false, maxLength: evaluationLength },
    option: '--eval-data',
  });
  const reference = new RowReference({
    ...{ model, scoring: pairScoring(false) },
    rows: { training: source.length, heldOut: evaluation.length },
  });
  const batchSize = 8;
  if (precompute) {
    const shape = { packing: pairPacking, batchSize, limit };
    await precomputeReference(reference, source, shape);
    await precomputeReference(reference, evaluation, { ...shape, heldOut: true });
  }
  return new Training(model, parameters, {
    model,
    role: lora ? 'policy' : 'reference',
    source,
    evaluation,
    objective,
    objectiveOptions: { beta: 0.1, labelSmoothing: 0 },
    batchSize,
    limit,
    recomputes: () => recomputes,
    reference,
  });
}

const lnTwo = Math.fround(Math.LN2);

describe('the first step', () => {
  const limits: [string, MicroBatchLimit][] = [
    ['one pass', { rows: null, tokens: null }],
    ['passes by rows', { rows: 2, tokens: null }],
    ['passes by tokens', { rows: null, tokens: 100 }],
  ];
  describe.each(limits)('in %s', (_, limit) => {
    it.each([
      ['LoRA, float32', { lora: true }],
      ['LoRA, bfloat16', { lora: true, computeType: 'bfloat16' }],
      ['LoRA with dropout, bfloat16', { lora: true, computeType: 'bfloat16', dropout: 0.3 }],
      ['LoRA, precomputed', { lora: true, precompute: true }],
      ['full, float32', { lora: false }],
      ['full, bfloat16', { lora: false, computeType: 'bfloat16' }],
    ] as [string, Setting][])('%s: the loss is exactly ln 2', async (_name, setting) => {
      using one = await training({ ...setting, limit });
      const metrics = await one.task.step();
      // The mean of equal float32 numbers, summed in float32 within a pass.
      expect(metrics.loss).toBe(lnTwo);
      expect(metrics['rewards/margins']).toBe(0);
      expect(metrics['rewards/chosen']).toBe(0);
      expect(metrics['rewards/accuracies']).toBe(0);
    });
  });

  it('evaluates held-out rows at ln 2, whatever the last batch', async () => {
    using one = await training({ lora: false });
    const metrics = (await one.task.evaluate())!;
    expect(metrics.loss).toBeCloseTo(Math.LN2, 7);
    expect(metrics['rewards/margins']).toBe(0);
    expect(one.task.tokens).toBe(0);
  });
});

describe('accumulation', () => {
  it.each([
    ['LoRA', true],
    ['full', false],
  ])('1x8, 2x4 and 8x1 give the same gradient: %s', async (_, lora) => {
    const results = [];
    for (const limit of [8, 4, 3, 1].map((size) => ({ rows: size, tokens: null }))) {
      using one = await training({ lora, limit });
      // Away from the start, where every margin has the same weight.
      if (lora)
        for (const [name, b] of one.parameters) if (name.includes('lora_B')) b.detach().fill_(0.05);
      const metrics = await one.task.step();
      results.push({ metrics, gradients: one.gradients() });
    }
    const [whole, ...others] = results;
    const size = (values: Iterable<number>): number => Math.hypot(...values);
    for (const { metrics, gradients } of others) {
      for (const [name, value] of Object.entries(whole!.metrics)) {
        expect(Math.abs(metrics[name]! - value), name).toBeLessThan(
          1e-5 * Math.max(1, Math.abs(value)),
        );
      }
      for (const [name, expected] of whole!.gradients) {
        const found = gradients.get(name)!;
        expect(found).toHaveLength(expected.length);
        const off = size(found.map((value, i) => value - expected[i]!));
        expect(off, name).toBeLessThanOrEqual(2e-5 * size(expected) + 1e-9);
      }
    }
    expect(size([...whole!.gradients.values()].flat())).toBeGreaterThan(1e-3);
  });
});

describe('recomputed activations', () => {
  it.each([
    ['LoRA with dropout, float32', { lora: true, dropout: 0.3 }],
    ['LoRA with dropout, bfloat16', { lora: true, dropout: 0.3, computeType: 'bfloat16' }],
    ['full, float32', { lora: false }],
    ['full, bfloat16', { lora: false, computeType: 'bfloat16' }],
  ] as [string, Setting][])('leave two steps the same, bit for bit: %s', async (_, setting) => {
    const found = [];
    for (const recomputes of [false, true]) {
      using one = await training({ ...setting, recomputes, limit: { rows: 3, tokens: null } });
      const optimiser = new AdamW(one.parameters);
      await one.task.step();
      optimiser.step(1e-2);
      optimiser.zeroGrad();
      found.push({ metrics: await one.task.step(), gradients: one.gradients() });
      optimiser.dispose();
    }
    expect(found[1]).toEqual(found[0]);
    expect(Math.max(...[...found[0]!.gradients.values()].flat().map(Math.abs))).toBeGreaterThan(0);
  });
});

describe('metrics', () => {
  it('count tokens as TRL does, and epochs', async () => {
    using one = await training({ lora: true });
    const first = await one.task.step();
    const second = await one.task.step();
    expect([first.epoch, second.epoch]).toEqual([0.5, 1]);
    expect(second.num_tokens).toBe(one.task.tokens);
    const source = new PairSource(rowsOf(rows), one.model.tokenizer, {
      seed: 3,
      shuffle: false,
      maxLength: null,
    });
    const tokens = (await source.next(16)).map(
      ({ pair }) =>
        2 * pair.prompt.length + pair.chosen.tokens.length + pair.rejected.tokens.length,
    );
    expect(one.task.tokens).toBe(tokens.reduce((sum, count) => sum + count, 0));
    expect(one.task.rows).toHaveLength(8);
  });

  it('of an evaluation are means over its rows, whatever the passes', async () => {
    const found = [];
    for (const limit of [5, 2, 1].map((size) => ({ rows: size, tokens: null }))) {
      using one = await training({ lora: true, limit });
      for (const [name, b] of one.parameters) if (name.includes('lora_B')) b.detach().fill_(0.05);
      found.push((await one.task.evaluate())!);
      expect([...one.gradients().values()].flat()).toEqual([]);
    }
    const [whole, ...others] = found;
    expect(Math.abs(whole!['rewards/margins']!)).toBeGreaterThan(1e-4);
    expect(whole!.mean_token_accuracy).toBeGreaterThanOrEqual(0);
    expect(whole!.entropy).toBeGreaterThan(0);
    expect(whole!.entropy).toBeLessThan(Math.log(273));
    for (const metrics of others) {
      for (const [name, value] of Object.entries(whole!))
        expect(metrics[name], name).toBeCloseTo(value, 4);
    }
  });
});

describe('a saved state', () => {
  it('from another run is refused, and changes nothing', async () => {
    using one = await training({ lora: true });
    await one.task.step();
    const own = () => JSON.stringify(one.task.state().values);
    const before = own();
    const refused = (change: (state: TaskState) => TaskState, message: RegExp): void => {
      tidy(() => {
        const state = change(one.task.state());
        for (const take of ['check', 'restore'] as const)
          expect(() => one.task[take](state)).toThrow(message);
      });
      expect(own()).toBe(before);
    };
    const withValues = (own: object) => (state: TaskState) => ({
      ...state,
      values: { ...state.values, ...own },
    });
    refused(withValues({ tokens: undefined }), /not one of a run on pairs/);
    refused(withValues({ sampler: null }), /not one of a run on pairs/);
    refused(withValues({ sampler: { epoch: 0, index: 17 } }), /index: .* from 0 to 16, found 17/);
    refused(({ values }) => ({ values, tensors: new Map() }), /without a reference/);
    refused(
      ({ values }) => ({ values, tensors: new Map([['reference', tensor([1, 2])]]) }),
      /of 1 rows, expected 16/,
    );
    tidy(() => one.task.restore(one.task.state()));
    expect(own()).toBe(before);
  });
});

describe('an evaluation in which no row fits', () => {
  it('is an error, not NaN, and names the option', async () => {
    using one = await training({ lora: true, evaluationLength: 2 });
    await expect(one.task.evaluate()).rejects.toThrow(
      /^--eval-data: every prompt is longer than --max-length 2 .*nothing is left to evaluate on/,
    );
  });
});

describe('memory', () => {
  it.each([
    ['LoRA with dropout', { lora: true, dropout: 0.2, limit: { rows: 3, tokens: null } }],
    ['full', { lora: false }],
    ['full, recomputed', { lora: false, recomputes: true }],
  ] as [string, Setting][])('is the same after every step: %s', async (_, setting) => {
    const outside = memory();
    {
      using one = await training(setting);
      const optimiser = new AdamW(one.parameters);
      const step = async (): Promise<void> => {
        await one.task.step();
        clipGradients(one.parameters.values(), 1);
        optimiser.step(1e-3);
        optimiser.zeroGrad();
        await one.task.evaluate();
      };
      await step();
      const before = memory();
      for (let i = 0; i < 4; i++) await step();
      expect(memory()).toEqual(before);
      optimiser.dispose();
    }
    expect(memory()).toEqual(outside);
  });
});

describe('a loss that is not finite', () => {
  it('stops the step, names the rows of its pass, and leaks nothing', async () => {
    const objective: PairedObjective = {
      name: 'broken',
      needsReference: true,
      loss: ({ policyChosen }) => policyChosen.mul(Number.NaN),
    };
    using one = await training({ lora: true, objective, limit: { rows: 2, tokens: null } });
    const before = memory();
    const error = await one.task.step().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteLossError);
    const { rows: named, heldOut, message } = error as NonFiniteLossError;
    expect(named).toEqual(one.task.rows.slice(0, 2));
    expect(heldOut).toBe(false);
    expect(message).toContain(`the loss is NaN on rows ${named.join(', ')} (counted from 0)`);
    expect(memory()).toEqual(before);
    const held = await one.task.evaluate().catch((thrown: unknown) => thrown);
    expect(held).toMatchObject({ rows: [0, 1], heldOut: true });
    expect((held as Error).message).toContain('on held-out rows 0, 1');
  });
});
