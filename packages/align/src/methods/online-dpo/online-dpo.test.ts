import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads, tensor, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { methodOf } from '../online/fixtures/method-of.ts';
import {
  batchOf,
  gradientsOf,
  type TinyOnline,
  tinyOnline,
} from '../online/fixtures/tiny-online.ts';
import { sampledObjectives } from '../online/sampled-objectives.ts';
import { sampledPairTerm } from './online-dpo.ts';
import type { OnlineDpoOptions } from './online-dpo-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-pairs-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The pairs that a step trained on, from the rollout batch in progress. */
const pairsOf = (online: TinyOnline) => {
  const { rollouts, training } = batchOf(online);
  if (training.kind !== 'pairs') throw new Error('online DPO trains on pairs');
  return { layout: rollouts.layout, pairs: training.pairs };
};

describe('online DPO', () => {
  it('starts at ln 2, on the best and the worst answer to each prompt', async () => {
    const method = methodOf.onlineDpo({ numGenerations: 3 });
    using online = await tinyOnline(folder, { method, epochs: 2, type: 'float32' });
    const metrics = await online.task.step();
    expect(metrics.loss).toBeCloseTo(Math.LN2, 6);
    expect(metrics).toMatchObject({ 'rewards/margins': 0, 'objective/kl': 0 });
    const { layout, pairs } = pairsOf(online);
    for (const [group, sequences] of layout.members()) {
      const lengths = sequences.map((one) => layout.lengthOf(one));
      const pair = pairs.find(({ chosen }) => layout.groups[chosen] === group);
      expect(pair === undefined).toBe(new Set(lengths).size === 1);
      if (pair === undefined) continue;
      // The reward favours short answers.
      expect(layout.lengthOf(pair.chosen)).toBe(Math.min(...lengths));
      expect(layout.lengthOf(pair.rejected)).toBe(Math.max(...lengths));
      expect(pair.margin).toBe(Math.max(...lengths) - Math.min(...lengths));
    }
  });

  it('skips and counts pairs whose rewards are closer than --min-score-gap', async () => {
    const narrowWith = async (minScoreGap?: number) => {
      const method = methodOf.onlineDpo({ numGenerations: 3, minScoreGap });
      let judged = 0;
      // Gaps of 3, 0, 9 and 2 within the four prompts.
      const rewards = [1, 4, 2, 5, 5, 5, 0, 8, -1, 1, 2, 3];
      const reward = (): number => rewards[judged++]!;
      using online = await tinyOnline(folder, { method, epochs: 2, reward });
      const metrics = await online.task.step();
      const { pairs } = pairsOf(online);
      return [pairs, metrics['pairs/below_gap'], metrics.frac_reward_zero_std];
    };
    const wide = [
      { chosen: 1, rejected: 0, margin: 3 },
      { chosen: 7, rejected: 8, margin: 9 },
    ];
    const all = [...wide, { chosen: 11, rejected: 9, margin: 2 }];
    expect(await narrowWith()).toEqual([all, undefined, 0.25]);
    expect(await narrowWith(3)).toEqual([wide, 1, 0.25]);
    expect(await narrowWith(3.5)).toEqual([wide.slice(1), 2, 0.25]);
  });

  it.each(
    sampledObjectives(['scoreGap']).map(({ name }) => name),
  )('--loss %s starts at its value for an unmoved policy, given the reward gaps', async (loss) => {
    const method = methodOf.onlineDpo({ numGenerations: 3, loss });
    using online = await tinyOnline(folder, { method, epochs: 2, type: 'float32' });
    const { loss: found, 'policy/kl': _, ...metrics } = await online.task.step();
    const { layout, pairs } = pairsOf(online);
    expect(pairs.length).toBeGreaterThan(0);
    const { objective, options } = sampledPairTerm(method.options as unknown as OnlineDpoOptions);
    const expected = tidy(() => {
      const column = (of: (pair: (typeof pairs)[number]) => number) =>
        tensor(pairs.map(of), { dtype: 'float64' });
      const scores = {
        ...{ policyChosen: column(() => -7), policyRejected: column(() => -9) },
        ...{ referenceChosen: column(() => -7), referenceRejected: column(() => -9) },
        tokensChosen: column(({ chosen }) => layout.lengthOf(chosen)),
        tokensRejected: column(({ rejected }) => layout.lengthOf(rejected)),
        scoreGap: column(({ margin }) => margin),
      };
      return objective
        .loss(scores as never, options)
        .mean()
        .item();
    });
    expect(found! / expected).toBeCloseTo(1, 5);
    expect(metrics['rewards/margins']).toBeCloseTo(0, 4);
  });

  it('skips batches without a pair', async () => {
    const method = methodOf.onlineDpo({ numGenerations: 3, minScoreGap: 2, minibatches: 4 });
    let judged = 0;
    // Of the first two batches (12 answers each) one is of ties, and one of pairs that are too
    // close.
    const reward = ({ tokens }: { tokens?: number }): number =>
      (++judged <= 12 ? 0 : judged <= 24 ? 0.1 : 10) * tokens!;
    const notices: string[] = [];
    using online = await tinyOnline(folder, {
      ...{ method, reward },
      notice: (text) => void notices.push(text),
    });
    const metrics = await online.task.step();
    expect(judged).toBe(36);
    expect(metrics).toMatchObject({ 'rollouts/without_steps': 2, 'pairs/below_gap': 0 });
    expect([...gradientsOf(online.parameters).values()].some((one) => one !== null)).toBe(true);
    const { values } = online.task.state();
    expect(values).toMatchObject({ steps: 1, rollouts: 3, done: 0 });
    expect(notices).toEqual([]);
  });

  it('warns about batches with nothing to train on, and finally ends the run', async () => {
    const method = methodOf.onlineDpo({ maxNewTokens: 1 });
    const notices: string[] = [];
    using online = await tinyOnline(folder, {
      ...{ method, reward: () => 1, notice: (text) => void notices.push(text) },
      batchSize: 1,
    });
    await expect(online.task.step()).rejects.toThrow(
      /^100 rollout batches in a row had nothing to train on: no prompt gave a pair/,
    );
    expect(notices).toContainEqual(
      expect.stringMatching(/^All rewards were the same \(1\) in the last 4 rollout batches/),
    );
    expect(notices).toContainEqual(
      expect.stringMatching(/^16 rollout batches in a row had nothing/),
    );
  });

  it.each([2, 3, 4])('%d minibatches divide no pair', async (minibatches) => {
    const method = methodOf.onlineDpo({ numGenerations: 4, minibatches });
    const rows: (readonly number[])[] = [];
    let judged = 0;
    using online = await tinyOnline(folder, { method, reward: () => ++judged });
    for (let step = 0; step < minibatches; step++) {
      const metrics = await online.task.step();
      expect(metrics.loss).toBeCloseTo(Math.LN2, 6);
      expect(metrics.kl).toBeCloseTo(0, 6);
      rows.push(online.task.rows);
    }
    expect(new Set(rows.flat()).size).toBe(4);
    expect(online.task.state().values).toMatchObject({ rollouts: 1, steps: minibatches });
  });
});
