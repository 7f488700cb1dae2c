import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdamW, fromTypedArray, memory, setThreads, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packRollouts } from '../../batching/pack-rollouts.ts';
import type { RewardFunction } from '../../rewards/user-function.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { methodOf, type Verb } from './fixtures/method-of.ts';
import { batchOf, firstStep, gradientsOf, tinyOnline } from './fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-online-task-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verbs = Object.keys(methodOf) as Verb[];

const flat = (found: Map<string, number[] | null>): number[] =>
  [...found.values()].flatMap((values) => values ?? []);
/** Adapters and their gradients are float32. */
function expectClose(found: number[], expected: number[], digits = 6): void {
  expect(found.length).toBe(expected.length);
  const largest = expected.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  expect(largest).toBeGreaterThan(1e-6);
  found.forEach(
    (one, at) => void expect(one / largest).toBeCloseTo(expected[at]! / largest, digits),
  );
}

describe('the first step on a batch', () => {
  it.each([
    'ppo',
    'grpo',
    'rloo',
  ] as const)('of %s has a ratio of exactly 1, in float32 too', async (verb) => {
    const method = methodOf[verb]({ beta: 0.1, klIn: 'reward' });
    const limit = { rows: null, tokens: 60 };
    for (const moved of [false, true]) {
      const { metrics } = await firstStep(folder, { method, type: 'float32', moved, limit });
      expect(metrics).toMatchObject({
        'val/ratio': 1,
        'val/ratio_var': 0,
        'policy/clipfrac_avg': 0,
        'policy/approxkl_avg': 0,
      });
      expect(metrics['objective/kl'] !== 0).toBe(moved);
      expect(metrics['sampling/sampling_logp_difference/max']).toBeLessThan(1e-4);
    }
  });

  it('of PPO with one epoch and one minibatch has the gradient of the policy', async () => {
    const method = methodOf.ppo({ numIterations: 1, minibatches: 1, klCorrection: false });
    using online = await tinyOnline(folder, { method, epochs: 2, moved: true });
    await online.task.step();
    const found = gradientsOf(online.parameters);
    const { model, parameters } = online;
    const { rollouts, training } = batchOf(online);
    if (training.kind !== 'advantages') throw new Error('PPO trains on advantages');
    for (const parameter of parameters.values()) parameter.grad = null;
    // -mean of A log p over all tokens, by the definition.
    tidy(() => {
      const { packed, scored } = packRollouts(rollouts, rollouts.everySequence);
      const { logprobs } = model.as('policy', () => model.scoreTokens(packed, scored));
      const advantages = fromTypedArray(training.advantages);
      logprobs.mul(advantages).mean().neg().backward();
    });
    const names = [...found.keys()].filter((name) => !name.startsWith('value/'));
    const expected = gradientsOf(parameters);
    expectClose(
      names.flatMap((name) => found.get(name)!),
      names.flatMap((name) => expected.get(name)!),
    );
  });
});

it.each([
  ['rloo', {}],
  ['grpo', { scaleRewards: 'none' }],
  ['grpo', { scaleRewards: 'group' }],
  ['grpo', { scaleRewards: 'batch', loss: 'dapo' }],
] as const)('a constant added to all rewards changes no step of %s %o', async (verb, own) => {
  const method = methodOf[verb]({ ...own, beta: 0 });
  const [plain, more] = await Promise.all(
    [0, 64].map((constant) =>
      firstStep(folder, { method, reward: ({ tokens }) => tokens! + constant }),
    ),
  );
  expectClose(flat(more!.found), flat(plain!.found));
});

// RAFT trains on the first of equal answers, and equal answers form no pair: there is no step.
it.each(
  verbs.filter((verb) => !['raft', 'onlineDpo', 'd2po'].includes(verb)),
)('equal rewards without KL leave the policy of %s unchanged, bit for bit', async (verb) => {
  const method = methodOf[verb]({
    beta: 0,
    numGenerations: 2,
    ...(verb === 'reinforce' && { baseline: 'batch' }),
    ...(verb === 'ppo' && { valueCoefficient: 1 }),
  });
  using online = await tinyOnline(folder, {
    method,
    reward: () => 0,
    moved: true,
  });
  const ofPolicy = new Map([...online.parameters].filter(([name]) => !name.startsWith('value/')));
  const before = [...ofPolicy.values()].map((one) =>
    tidy(() => one.detach().reshape(-1).toArray()),
  );
  const optimiser = new AdamW(online.parameters);
  const metrics = await online.task.step();
  optimiser.step(0.1);
  optimiser.dispose();
  [...ofPolicy.values()].forEach((one, at) => {
    expect(tidy(() => one.detach().reshape(-1).toArray())).toEqual(before[at]);
  });
  if (verb === 'grpo' || verb === 'rloo') expect(metrics.frac_reward_zero_std).toBe(1);
});

describe('passes', () => {
  const rich = {
    ppo: { entropyBonus: 0.1, whitenRewards: true, critic: 'adapter' },
    grpo: { beta: 0.1, klCorrection: true, numGenerations: 3, entropyBonus: 0.1 },
    rloo: { numGenerations: 3 },
    reinforce: { temperature: 0.7 },
    remax: {},
    onlineDpo: { numGenerations: 3, loss: 'ipo' },
    d2po: { numGenerations: 3, goldShare: 0.5, discriminatorWarmup: 1 },
    raft: { numGenerations: 4, keep: 2, temperature: 0.7, beta: 0.1 },
  };
  it.each(verbs)('packed, single and recomputed give the same gradient: %s', async (verb) => {
    const method = methodOf[verb](rich[verb]);
    const reward: RewardFunction = ({ completion }) => JSON.stringify(completion).length / 10;
    const whole = await firstStep(folder, { method, reward, moved: true });
    const limits = [
      { rows: 1, tokens: null },
      { rows: null, tokens: 1 },
      { rows: null, tokens: 50 },
    ];
    for (const limit of limits) {
      const parts = await firstStep(folder, { method, reward, moved: true, limit });
      expectClose(flat(parts.found), flat(whole.found));
      expect(parts.metrics.loss).toBeCloseTo(whole.metrics.loss!, 10);
    }
    const again = await firstStep(folder, { method, reward, moved: true, recomputes: true });
    expectClose(flat(again.found), flat(whole.found));
  });

  it('of a shared critic add the gradients of both policy and head', async () => {
    const method = methodOf.ppo({ critic: 'shared', valueCoefficient: 1 });
    const { found, metrics } = await firstStep(folder, { method });
    expect([...found.keys()].filter((name) => name.startsWith('value/'))).toEqual([
      'value/score.weight',
    ]);
    expect(found.get('value/score.weight')!.some((one) => one !== 0)).toBe(true);
    expect(metrics['loss/value_avg']).toBeGreaterThan(0);
  });
});

it("during the critic's warm-up and after, its role does not leak into the policy's", async () => {
  const method = methodOf.ppo({ criticWarmup: 1, numIterations: 1 });
  using online = await tinyOnline(folder, { method });
  const { model, parameters, task } = online;
  const optimiser = new AdamW(parameters);
  const sample = (): number[] =>
    tidy(() => {
      const packed = packRollouts(
        { prompts: [[5, 6, 7]], completions: [[8, 9]], groups: [0] },
        [0],
      );
      return model
        .as('policy', () => model.scoreTokens(packed.packed, packed.scored))
        .logprobs.toArray();
    });
  const start = sample();
  const first = await task.step();
  const grads = gradientsOf(parameters);
  for (const [name, values] of grads)
    expect(values === null, name).toBe(!name.startsWith('value/'));
  expect(first['loss/value_avg']).toBeGreaterThan(0);
  expect(first['loss/policy_avg']).toBeUndefined();
  optimiser.step(0.05);
  optimiser.zeroGrad();
  expect(sample()).toEqual(start);
  expect(model.activeAdapter).toBe(null);
  const second = await task.step();
  expect(second['loss/policy_avg']).toBeTypeOf('number');
  expect(second['ppo/mean_value']).not.toBe(0);
  optimiser.step(0.05);
  expect(sample()).not.toEqual(start);
  optimiser.dispose();
});

describe('several steps on a batch', () => {
  it('go through its minibatches, and stop if the policy has moved too far', async () => {
    const method = methodOf.ppo({ numIterations: 2, minibatches: 2, targetKl: 1e-6 });
    using online = await tinyOnline(folder, { method });
    const { task, parameters } = online;
    const optimiser = new AdamW(parameters);
    const move = (rate: number): void => {
      optimiser.step(rate);
      optimiser.zeroGrad();
    };
    const scores: (number | undefined)[] = [];
    const left: (number | undefined)[] = [];
    const rows: number[][] = [];
    for (let step = 0; step < 3; step++) {
      const metrics = await task.step();
      scores.push(metrics['objective/entropy']);
      left.push(metrics['policy/steps_left_out']);
      rows.push([...task.rows]);
      move(0.1);
    }
    // The second step saw the effect of the first; the third is on a new batch.
    expect(left).toEqual([undefined, 2, undefined]);
    expect(scores[1]).toBe(scores[0]);
    expect(scores[2]).not.toBe(scores[0]);
    expect(rows[0]!.length + rows[1]!.length).toBe(4);
    optimiser.dispose();
  });
});

it('an entropy bonus raises the entropy', async () => {
  const method = methodOf.grpo({ entropyBonus: 1, numGenerations: 2 });
  using online = await tinyOnline(folder, { method, reward: () => 0 });
  const optimiser = new AdamW(online.parameters);
  const found: number[] = [];
  for (let step = 0; step < 12; step++) {
    found.push((await online.task.step()).entropy!);
    optimiser.step(0.02);
    optimiser.zeroGrad();
  }
  expect(found.at(-1)).toBeGreaterThan(found[0]! + 0.05);
  optimiser.dispose();
});

it('full fine-tuning without a reference trains every weight', async () => {
  const method = methodOf.grpo({ numGenerations: 2 });
  const { found, metrics } = await firstStep(folder, { method, lora: false });
  expect(
    [...found.values()].filter((one) => one?.some((value) => value !== 0)).length,
  ).toBeGreaterThan(10);
  expect(metrics['objective/kl']).toBeUndefined();
});

it('a step leaks no tensors', async () => {
  const method = methodOf.ppo({ numGenerations: 2 });
  using online = await tinyOnline(folder, { method });
  const step = async (): Promise<void> => {
    await online.task.step();
    for (const parameter of online.parameters.values()) parameter.grad = null;
  };
  await step();
  const before = memory();
  for (let again = 0; again < 5; again++) await step();
  expect(memory()).toEqual(before);
});

describe('errors name the row', () => {
  const method = methodOf.rloo();
  it.each([
    [
      'a reward that throws',
      () => {
        throw new Error('no idea');
      },
      /row \d+, answer ".*": test: no idea/,
    ],
    ['a reward that returns null', () => null, /row \d+, answer .*: the reward returned no score/],
    [
      'a reward that is not a number',
      () => Number.NaN,
      /row \d+, answer .*: the score is NaN; return a finite number/,
    ],
  ])('%s', async (_, reward, message) => {
    using online = await tinyOnline(folder, { method, reward });
    await expect(online.task.step()).rejects.toThrow(message);
  });

  it('for a loss that is not finite', async () => {
    const method = methodOf.grpo({ numGenerations: 2, scaleRewards: 'none' });
    const reward = ({ tokens }: { tokens?: number }): number => tokens! * 1e39;
    using online = await tinyOnline(folder, { method, reward, type: 'float32' });
    await expect(online.task.step()).rejects.toThrow(NonFiniteLossError);
  });
});

it('says once that rewards do not see the special tokens of answers', async () => {
  const notices: string[] = [];
  const method = methodOf.grpo({ beta: 0 });
  // The untrained model samples every token about as often.
  using online = await tinyOnline(folder, { method, notice: (text) => notices.push(text) });
  for (let step = 0; step < 6; step++) await online.task.step();
  const told = notices.filter((text) => text.includes('that their text leaves out'));
  expect(told).toEqual([expect.stringMatching(/such as <\|(user|pad)\|>\. Rewards see the text/)]);
});
