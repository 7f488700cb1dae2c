import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder } from '@keel/model';
import { inTurns, Scope, setThreads, type Tensor, tidy, withSeed } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bradleyTerry } from '../../objectives/bradley-terry.ts';
import type { RewardFunction } from '../../rewards/user-function.ts';
import { SamplesLog } from '../../runs/samples-log.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { methodOf } from '../online/fixtures/method-of.ts';
import { gradientsOf, tinyOnline } from '../online/fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-discriminator-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const everything = { rows: null, tokens: null };
/** Rarely equal for two answers. */
const mixed: RewardFunction = ({ text }) =>
  [...text].reduce((sum, letter, at) => sum + ((at + 1) * letter.charCodeAt(0)) / 100, 0) % 1;
const tiny = (own: Record<string, unknown> = {}) =>
  tinyOnline(folder, {
    method: methodOf.d2po({
      ...{ numGenerations: 3, goldShare: 1, discriminatorWarmup: 2 },
      ...{ discriminatorLearningRate: 1e-2, ...own },
    }),
    reward: mixed,
  });

/** Moves the discriminator away from scores of 0. */
function stir(parameters: ReadonlyMap<string, Tensor>): void {
  withSeed(1, () => {
    for (const parameter of parameters.values()) {
      tidy(() => void parameter.detach().normal_(0, 0.1));
    }
  });
}

describe('the discriminator', () => {
  it('has the Bradley-Terry gradient of the gold pairs, however divided into passes', async () => {
    using online = await tiny();
    const { discriminator, model } = online;
    await online.task.step();
    const { memory: gold, parameters: own } = discriminator!;
    const { pairs } = gold;
    expect(pairs.length).toBeGreaterThan(2);
    stir(own);
    const loss = await discriminator!.addGradient(pairs, { limit: everything });
    const whole = gradientsOf(own);
    for (const one of own.values()) one.grad = null;
    await discriminator!.addGradient(pairs, { limit: { rows: 1, tokens: null } });
    const cut = gradientsOf(own);
    for (const one of own.values()) one.grad = null;
    // Each answer separately after its prompt, without packing, with the objective's function.
    let direct = 0;
    for (const { prompt, answers } of pairs) {
      using _scope = new Scope();
      const both: Tensor[] = [];
      for (const { tokens } of answers) {
        const builder = new BatchBuilder();
        builder.add([...prompt, ...tokens]);
        const last = Int32Array.of(builder.size - 1);
        const hidden = model.readHeadSteps(builder.build(), last);
        const { scores } = await inTurns(model.asSteps(discriminator!.role, hidden));
        both.push(scores.view(-1)); // [1]
      }
      const [chosen, rejected] = both;
      const total = bradleyTerry({ chosen: chosen!, rejected: rejected! }).sum();
      direct += total.item();
      total.div(pairs.length).backward();
    }
    expect(loss).toBeCloseTo(direct, 6);
    for (const [name, expected] of gradientsOf(own)) {
      expect(expected).not.toBeNull();
      expected!.forEach((value, at) => {
        expect(whole.get(name)![at]).toBeCloseTo(value, 6);
        expect(cut.get(name)![at]).toBeCloseTo(value, 6);
      });
    }
  });

  it("learns the gold source's preferences, and drops pairs beyond its memory", async () => {
    using online = await tiny({ discriminatorMemory: 6, discriminatorEpochs: 20 });
    const found: number[] = [];
    for (let step = 0; step < 8; step++) {
      found.push((await online.task.step())['discriminator/loss']!);
    }
    expect(online.discriminator!.memory.pairs).toHaveLength(6);
    // The mean over all passes, the first of which see new pairs.
    expect(found.at(-1)).toBeLessThan(0.9 * Math.LN2);
  });
});

describe('labels of a batch', () => {
  it('follow the reward if gold, otherwise the discriminator; both are counted', async () => {
    const path = join(folder, 'samples.jsonl');
    rmSync(path, { force: true });
    const calls: number[] = [];
    using online = await tinyOnline(folder, {
      method: methodOf.d2po({
        ...{ numGenerations: 3, goldShare: 0.5, minScoreGap: 2, discriminatorWarmup: 1 },
        discriminatorLearningRate: 1e-2,
      }),
      reward: ({ tokens }) => {
        calls.push(tokens!);
        return -tokens!;
      },
      samples: new SamplesLog(path),
    });
    let [batches, silver] = [0, 0];
    for (let step = 1; step <= 4; step++) {
      const metrics = await online.task.step();
      batches += 1 + (metrics['rollouts/without_steps'] ?? 0);
      silver += metrics['labels/silver']!;
      expect(metrics['labels/silver_total']).toBeGreaterThanOrEqual(silver);
      expect(metrics).toMatchObject({
        ...{ 'labels/gold': 2, 'labels/gold_total': 2 * batches },
        'labels/gold_calls_total': 4 * batches,
      });
    }
    expect(calls).toHaveLength(4 * batches);
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(12 * batches);
    for (let at = 0; at < lines.length; at += 3) {
      const group = lines.slice(at, at + 3);
      const one = (pair: string) => group.find((line) => line.pair === pair);
      const [chosen, rejected] = [one('chosen'), one('rejected')];
      expect(chosen === undefined).toBe(rejected === undefined);
      const asked = group.filter(({ reward }) => reward !== null);
      expect(asked.every(({ label }) => label === 'gold')).toBe(true);
      expect([0, 2]).toContain(asked.length);
      if (asked.length === 2) {
        const gap = Math.abs(asked[0].reward - asked[1].reward);
        expect(chosen !== undefined).toBe(gap >= 2);
        if (chosen) expect(chosen.reward).toBeGreaterThan(rejected.reward);
        expect(asked.map(({ reward, tokens }) => reward + tokens)).toEqual([0, 0]);
      } else if (chosen) {
        expect([chosen.label, rejected.label]).toEqual(['silver', 'silver']);
        const scores = group.map(({ discriminator }) => discriminator);
        expect(chosen.discriminator).toBe(Math.max(...scores));
        expect(rejected.discriminator).toBe(Math.min(...scores));
      }
    }
  });

  it('include no silver ones before the discriminator was trained on enough pairs', async () => {
    using online = await tiny({ goldShare: 0.5, discriminatorWarmup: 5 });
    const silver: number[] = [];
    for (let step = 0; step < 4; step++) {
      silver.push((await online.task.step())['labels/silver']!);
    }
    expect(silver).toEqual([0, 0, 2, 2]);
  });

  it('measure agreement before the discriminator is trained on the pairs', async () => {
    using online = await tiny({ numGenerations: 2 });
    const first = await online.task.step();
    // It starts without any preference.
    expect(first['discriminator/agreement']).toBe(0.5);
    expect(first['discriminator/loss']).toBeCloseTo(Math.LN2, 6);
  });

  it('with a spent budget neither train the discriminator nor call the reward', async () => {
    using online = await tiny({ goldBudget: 4 });
    await online.task.step();
    const weights = () =>
      tidy(() =>
        [...online.discriminator!.parameters.values()].map((one) => one.detach().toArray()),
      );
    const after = weights();
    const metrics = await online.task.step();
    expect(metrics).toMatchObject({ 'labels/gold': 0, 'labels/gold_total': 4 });
    expect(metrics['labels/silver']).toBeGreaterThan(0);
    expect(metrics.reward).toBeUndefined();
    expect(weights()).toEqual(after);
  });

  it('refuses a state without them, or of another discriminator, before any change', async () => {
    using online = await tiny();
    const before = online.task.state();
    await online.task.step();
    const { values, tensors } = online.task.state();
    const bare = { values: { ...values, learner: undefined }, tensors };
    expect(() => online.task.check(bare)).toThrow(/no counts of gold and silver labels/);
    const name = 'discriminator/weight/score.weight';
    const lacking = new Map([...tensors].filter(([one]) => one !== name));
    expect(() => online.task.check({ values, tensors: lacking })).toThrow(/no discriminator/);
    const torn = new Map([...tensors].filter(([one]) => !one.startsWith('discriminator/gold')));
    expect(() => online.task.check({ values, tensors: torn })).toThrow(/gold pairs .*\d+ tokens/);
    expect(() => online.task.check({ values, tensors })).not.toThrow();
    expect(before.values.learner).toMatchObject({
      counts: { gold: 0 },
      discriminator: { gold: [] },
    });
    // The only tensor made for the state; collected later, it would disturb the memory test.
    tensors.get('discriminator/gold-tokens')!.dispose();
  });

  it('a pair of identical texts is not sent to the gold source', async () => {
    let calls = 0;
    using online = await tinyOnline(folder, {
      method: methodOf.d2po({ goldShare: 1, topK: 1, maxNewTokens: 1 }),
      batchSize: 1,
      reward: () => ++calls,
    });
    // Without labels there is nothing to train on.
    await expect(online.task.step()).rejects.toThrow(/^100 rollout batches in a row had nothing/);
    expect(calls).toBe(0);
  });

  it('leak no tensors', async () => {
    using online = await tiny({ discriminatorEpochs: 2 });
    await online.task.step();
    for (const one of online.parameters.values()) one.grad = null;
    const before = await liveMemory();
    await online.task.step();
    for (const one of online.parameters.values()) one.grad = null;
    expect(await liveMemory()).toEqual(before);
  });
});
