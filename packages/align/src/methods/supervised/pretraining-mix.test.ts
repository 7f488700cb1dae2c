import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdamW, setThreads } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { rowsOf, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyExamples } from '../../testing/tiny-examples.ts';
import { methodOf } from '../online/fixtures/method-of.ts';
import {
  firstStep,
  gradientsOf,
  type TinySetting,
  tinyOnline,
} from '../online/fixtures/tiny-online.ts';
import { ExampleSource } from './example-source.ts';
import { SupervisedTask } from './supervised-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-pretraining-'));
beforeAll(() => void writeTinyChatModel(folder));
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = tinyExamples(8);
const pretraining = { rows, batchSize: 8, coefficient: 0.7 };
const method = methodOf.ppo({ valueCoefficient: 1 });
const online: TinySetting = { method, moved: true };

/** The gradient of supervised fine-tuning on the same rows. */
async function supervised() {
  // The policy starts as in the online run.
  using base = await tinyOnline(folder, online);
  const { model, parameters } = base;
  using source = new ExampleSource(rowsOf(rows), model.tokenizer, {
    ...{ seed: 3, maxLength: null, shuffle: true, rules: defaultScoring },
  });
  const task = new SupervisedTask({
    ...{ model, role: 'policy', source, evaluation: null, batchSize: 8, neftuneAlpha: null },
    limit: { rows: null, tokens: null },
  });
  const metrics = await task.step();
  return { metrics, found: gradientsOf(parameters) };
}

const largestOf = (found: ReadonlyMap<string, number[] | null>): number =>
  Math.max(...[...found.values()].flatMap((values) => values?.map(Math.abs) ?? []));

describe("a step's gradient with the mix", () => {
  it("is PPO's plus gamma times SFT's", async () => {
    const plain = await firstStep(folder, online);
    const { found: own, metrics } = await supervised();
    const mixed = await firstStep(folder, { ...online, pretraining });
    const largest = largestOf(own);
    expect(largest).toBeGreaterThan(0.01);
    for (const [name, values] of mixed.found) {
      const [ppo, sft] = [plain.found.get(name), own.get(name)];
      expect(sft === null, name).toBe(name.startsWith('value/'));
      values!.forEach((value, at) => {
        const expected = (ppo?.[at] ?? 0) + 0.7 * (sft?.[at] ?? 0);
        expect(Math.abs(value - expected) / largest, name).toBeLessThan(1e-6);
      });
    }
    const { loss } = plain.metrics;
    expect(mixed.metrics['loss/pretraining_avg']).toBeCloseTo(metrics.loss!, 12);
    expect(mixed.metrics.loss).toBeCloseTo(loss! + 0.7 * metrics.loss!, 12);
    expect(mixed.metrics['loss/policy_avg']).toBe(plain.metrics['loss/policy_avg']);
    expect(mixed.metrics.num_tokens).toBe(plain.metrics.num_tokens! + metrics.num_tokens!);
    expect(plain.metrics['loss/pretraining_avg']).toBeUndefined();
  });

  it.each([
    { rows: 1, tokens: null },
    { rows: 2, tokens: null },
    { rows: null, tokens: 50 },
  ])('does not depend on the passes: %o', async (limit) => {
    const whole = await firstStep(folder, { ...online, pretraining });
    const parts = await firstStep(folder, { ...online, pretraining, limit });
    const largest = largestOf(whole.found);
    for (const [name, values] of parts.found) {
      values?.forEach((value, at) => {
        const difference = Math.abs(value - whole.found.get(name)![at]!) / largest;
        expect(difference, name).toBeLessThan(1e-6);
      });
    }
    expect(parts.metrics.loss).toBeCloseTo(whole.metrics.loss!, 10);
  });
});

it('is skipped while only the critic is trained', async () => {
  const warming = methodOf.ppo({ criticWarmup: 1, numIterations: 1 });
  using run = await tinyOnline(folder, { method: warming, pretraining });
  expect((await run.task.step())['loss/pretraining_avg']).toBeUndefined();
  for (const [name, values] of gradientsOf(run.parameters)) {
    expect(values === null, name).toBe(!name.startsWith('value/'));
  }
  expect((await run.task.step())['loss/pretraining_avg']).toBeGreaterThan(0);
});

it('makes the rows more likely, with the next rows in each step', async () => {
  const grpo = methodOf.grpo({ numGenerations: 2 });
  using run = await tinyOnline(folder, {
    method: grpo,
    reward: () => 0,
    pretraining: { ...pretraining, batchSize: 4, coefficient: 1 },
  });
  const optimiser = new AdamW(run.parameters);
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) {
    losses.push((await run.task.step())['loss/pretraining_avg']!);
    optimiser.step(0.03);
    optimiser.zeroGrad();
  }
  optimiser.dispose();
  // Two steps are an epoch over the eight rows.
  expect(losses[10]! + losses[11]!).toBeLessThan(0.9 * (losses[0]! + losses[1]!));
});

it('resumes where it stopped, and only in a run that was started with it', async () => {
  const few = { ...pretraining, batchSize: 3 };
  using first = await tinyOnline(folder, { ...online, pretraining: few });
  await first.task.step();
  const state = first.task.state();
  const next = await first.task.step();
  using second = await tinyOnline(folder, { ...online, pretraining: few });
  second.task.restore(state);
  // No optimiser has changed the weights: the same rows have the same loss.
  expect((await second.task.step())['loss/pretraining_avg']).toBe(next['loss/pretraining_avg']);
  using without = await tinyOnline(folder, online);
  expect(() => without.task.restore(state)).toThrow(/ with --pretraining-data/);
  const plain = without.task.state();
  expect(() => second.task.restore(plain)).toThrow(/ without --pretraining-data/);
});
