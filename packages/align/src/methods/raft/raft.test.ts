import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packExamples } from '../../batching/pack-examples.ts';
import { tokenNll } from '../../objectives/token-nll.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { methodOf } from '../online/fixtures/method-of.ts';
import {
  batchOf,
  firstStep,
  gradientsOf,
  type TinyOnline,
  tinyOnline,
} from '../online/fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-raft-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const flat = (found: Map<string, number[] | null>): number[] =>
  [...found.values()].flatMap((values) => values ?? []);

/** The answers that a step trained on, from the rollout batch in progress. */
const keptOf = (online: TinyOnline) => {
  const { rollouts, training } = batchOf(online);
  if (training.kind !== 'kept') throw new Error('RAFT trains on kept answers');
  return { rollouts, kept: training.sequences };
};

describe('a step of RAFT', () => {
  it.each([
    1, 0.7,
  ])('has the gradient of supervised fine-tuning on the kept answers, sampled at temperature %d', async (temperature) => {
    const method = methodOf.raft({ numGenerations: 4, keep: 2, temperature });
    using online = await tinyOnline(folder, { method, epochs: 2, moved: true });
    const metrics = await online.task.step();
    const found = flat(gradientsOf(online.parameters));
    const { rollouts, kept } = keptOf(online);
    expect(kept).toHaveLength(8);
    expect(metrics).toMatchObject({ 'kept/answers': 8, 'kept/prompts_left_out': 0 });
    for (const parameter of online.parameters.values()) parameter.grad = null;
    const examples = kept.map((sequence) => {
      const prompt = rollouts.prompts[rollouts.groups[sequence]!]!;
      const answer = rollouts.completions[sequence]!;
      return {
        tokens: [...prompt, ...answer],
        scored: [...prompt.map(() => false), ...answer.map(() => true)],
        truncated: false,
      };
    });
    const { model } = online;
    const loss = tidy(() => {
      const { packed, scored } = packExamples(examples);
      const { logprobs } = model.as('policy', () => model.scoreTokens(packed, scored));
      const mean = tokenNll(logprobs).mean();
      mean.backward();
      return mean.item();
    });
    expect(metrics.loss).toBeCloseTo(loss, 10);
    const expected = flat(gradientsOf(online.parameters));
    const largest = Math.max(...expected.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-6);
    expected.forEach((one, at) => void expect(found[at]! / largest).toBeCloseTo(one / largest, 6));
  });

  it('keeps the best answers, and logs their rewards', async () => {
    const method = methodOf.raft({ numGenerations: 4 });
    using online = await tinyOnline(folder, { method, epochs: 2 });
    const metrics = await online.task.step();
    const { layout } = keptOf(online).rollouts;
    const best = [...layout.members().values()].map((sequences) =>
      Math.max(...sequences.map((one) => -layout.lengthOf(one))),
    );
    expect(metrics['kept/reward']).toBeCloseTo(
      best.reduce((sum, one) => sum + one) / best.length,
      10,
    );
    expect(metrics['kept/reward']!).toBeGreaterThan(metrics.reward!);
    expect(metrics['objective/kl']).toBe(0);
  });

  it('skips prompts without a good enough answer, and batches without such a prompt', async () => {
    const method = methodOf.raft({ rewardThreshold: 1 });
    const all = await firstStep(folder, { method, reward: () => 1 });
    expect(all.metrics).toMatchObject({ 'kept/answers': 4, 'kept/prompts_left_out': 0 });
    let judged = 0;
    // One answer of the second batch (4 prompts, 8 answers each) is good enough.
    const reward = (): number => Number(++judged === 40);
    using online = await tinyOnline(folder, { method, reward });
    const metrics = await online.task.step();
    expect(metrics).toMatchObject({
      ...{ 'kept/answers': 1, 'kept/prompts_left_out': 3, 'kept/reward': 1 },
      'rollouts/without_steps': 1,
    });
    expect(online.task.state().values).toMatchObject({ steps: 1, rollouts: 2, done: 0 });
  });

  it('has as many steps as kept answers if these are fewer than the minibatches', async () => {
    const method = methodOf.raft({ rewardThreshold: 1, minibatches: 4, numIterations: 2 });
    let judged = 0;
    const reward = (): number => Number(++judged % 32 === 5 || judged % 32 === 20);
    using online = await tinyOnline(folder, { method, reward });
    for (let step = 1; step <= 4; step++) {
      const metrics = await online.task.step();
      expect(metrics.loss).toBeGreaterThan(0);
      expect(online.task.rows).toHaveLength(1);
      expect(online.task.state().values).toMatchObject({ steps: step, rollouts: 1 });
    }
    await online.task.step();
    expect(online.task.state().values).toMatchObject({ rollouts: 2, done: 1 });
  });

  it('ranks by the reward minus the KL with --beta', async () => {
    const own = { numGenerations: 4, keep: 1 };
    const keptWith = async (beta: number): Promise<readonly number[]> => {
      const method = methodOf.raft({ ...own, beta });
      const setting = { method, epochs: 2, moved: true, reward: () => 1 };
      using online = await tinyOnline(folder, setting);
      await online.task.step();
      const { rollouts, kept } = keptOf(online);
      const { old, reference } = rollouts.logprobs;
      const kl = rollouts.layout.sums(old!.map((one, token) => one - reference![token]!));
      if (beta > 0) {
        for (const sequence of kept) {
          const others = rollouts.layout.members().get(rollouts.groups[sequence]!)!;
          expect(kl[sequence]).toBe(Math.min(...others.map((other) => kl[other]!)));
        }
      }
      return kept;
    };
    // All rewards are equal: the first of each prompt.
    expect(await keptWith(0)).toEqual([0, 4, 8, 12]);
    expect(await keptWith(1)).not.toEqual([0, 4, 8, 12]);
  });
});
