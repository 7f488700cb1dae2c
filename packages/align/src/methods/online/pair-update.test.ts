import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads, tensor, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RolloutLayout } from '../../objectives/online/rollout.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { settingsOf } from './fixtures/settings-of.ts';
import { batchOf, gradientsOf, tinyOnline } from './fixtures/tiny-online.ts';
import { markPairs, unitsOf } from './pair-update.ts';
import { sampledObjectives } from './sampled-objectives.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-pairs-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('online DPO', () => {
  it('begins at ln 2, on the best and the worst answer to each prompt', async () => {
    const settings = settingsOf.onlineDpo({ numGenerations: 3 });
    using online = await tinyOnline(folder, {
      ...{ settings, type: 'float32' },
      settings: { ...settings, epochs: 2 },
    });
    const metrics = await online.task.step();
    expect(metrics.loss).toBeCloseTo(Math.LN2, 6);
    expect(metrics).toMatchObject({ 'rewards/margins': 0, 'objective/kl': 0 });
    const { layout, numbers } = batchOf(online);
    for (const sequences of layout.members().values()) {
      const lengths = sequences.map((one) => layout.lengthOf(one));
      const marks = sequences.map((one) => numbers.advantages[layout.offsets[one]!]!);
      const tied = new Set(lengths).size === 1;
      expect(marks.filter((mark) => mark !== 0)).toHaveLength(tied ? 0 : 2);
      if (tied) continue;
      // The reward is for brevity.
      const gap = Math.max(...marks);
      expect(lengths[marks.indexOf(gap)]).toBe(Math.min(...lengths));
      expect(lengths[marks.indexOf(-gap)]).toBe(Math.max(...lengths));
    }
  });

  it('leaves out, and counts, pairs whose rewards are less apart than it was told', async () => {
    const groups = [0, 0, 0, 1, 1, 1, 2, 2, 2];
    const layout = RolloutLayout.of(
      groups.map(() => 1),
      groups,
    );
    const rewards = [1, 4, 2, 5, 5, 5, 0, 8, -1];
    const marked = (gap?: number) => {
      const { marks, pairs, ...counts } = markPairs(layout, rewards, gap);
      expect(unitsOf(pairs).flat().sort()).toEqual(
        [...marks.keys()].filter((sequence) => marks[sequence] !== 0),
      );
      return [[...marks], counts];
    };
    const ties = 1 / 3;
    expect(marked()).toEqual([[-3, 3, 0, 0, 0, 0, 0, 9, -9], { ties, narrow: 0 }]);
    expect(marked(3)).toEqual(marked());
    expect(marked(3.5)).toEqual([[0, 0, 0, 0, 0, 0, 0, 9, -9], { ties, narrow: 1 }]);
  });

  it.each(
    sampledObjectives(['scoreGap']).map(({ name }) => name),
  )('--loss %s begins with what it gives pairs that the policy has not moved, with the gap of their rewards', async (loss) => {
    const settings = settingsOf.onlineDpo({ numGenerations: 3, loss });
    const twice = { ...settings, epochs: 2 };
    using online = await tinyOnline(folder, { settings: twice, type: 'float32' });
    const { loss: found, 'policy/kl': _, ...metrics } = await online.task.step();
    const { layout, numbers } = batchOf(online);
    const gaps = [...layout.members().values()].flatMap((sequences) => {
      const marks = sequences.map((one) => numbers.advantages[layout.offsets[one]!]!);
      const gap = Math.max(...marks);
      return gap > 0
        ? [
            {
              gap,
              chosen: sequences[marks.indexOf(gap)]!,
              rejected: sequences[marks.indexOf(-gap)]!,
            },
          ]
        : [];
    });
    expect(gaps.length).toBeGreaterThan(0);
    const { objective, options } = settings.pairs!;
    const expected = tidy(() => {
      const column = (of: (pair: (typeof gaps)[number]) => number) =>
        tensor(gaps.map(of), { dtype: 'float64' });
      const scores = {
        ...{ policyChosen: column(() => -7), policyRejected: column(() => -9) },
        ...{ referenceChosen: column(() => -7), referenceRejected: column(() => -9) },
        tokensChosen: column(({ chosen }) => layout.lengthOf(chosen)),
        tokensRejected: column(({ rejected }) => layout.lengthOf(rejected)),
        scoreGap: column(({ gap }) => gap),
      };
      return objective
        .loss(scores as never, options)
        .mean()
        .item();
    });
    expect(found! / expected).toBeCloseTo(1, 5);
    expect(metrics['rewards/margins']).toBeCloseTo(0, 4);
  });

  it('passes over batches without a pair: they are no step', async () => {
    const settings = settingsOf.onlineDpo({ numGenerations: 3, minScoreGap: 2, minibatches: 4 });
    let judged = 0;
    // Of the first two batches (12 answers each) one is of ties, and one of pairs that are too
    // close.
    const reward = ({ tokens }: { tokens?: number }): number =>
      (++judged <= 12 ? 0 : judged <= 24 ? 0.1 : 10) * tokens!;
    const notices: string[] = [];
    using online = await tinyOnline(folder, {
      ...{ settings, reward },
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

  it('ends a run in which nothing can be learnt, and says so before', async () => {
    const settings = settingsOf.onlineDpo({ maxNewTokens: 1 });
    const notices: string[] = [];
    using online = await tinyOnline(folder, {
      ...{ settings, reward: () => 1, notice: (text) => void notices.push(text) },
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

  it.each([2, 3, 4])('no pair is divided by %d minibatches', async (minibatches) => {
    const settings = settingsOf.onlineDpo({ numGenerations: 4, minibatches });
    const rows: (readonly number[])[] = [];
    let judged = 0;
    using online = await tinyOnline(folder, { settings, reward: () => ++judged });
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
