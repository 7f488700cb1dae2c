// The advantages that each method computes from the same rewards, read from its rollout batch.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type ChosenMethod, methodOf } from './fixtures/method-of.ts';
import { batchOf, tinyOnline } from './fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-advantages-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scores = [1, 3, 5, 5];

/** Two prompts with two answers each, whose scores are 1, 3, 5 and 5. */
async function trainedOn(method: ChosenMethod) {
  let judged = 0;
  const reward = (): number => scores[judged++ % 4]!;
  const setting = { method, epochs: 2, batchSize: 2, moved: true, reward };
  using online = await tinyOnline(folder, setting);
  const metrics = await online.task.step();
  const { rollouts, training } = batchOf(online);
  if (training.kind !== 'advantages') throw new Error('it trains on advantages');
  const { layout } = rollouts;
  const firsts = Array.from(layout.groups, (_, one) => training.advantages[layout.offsets[one]!]!);
  return { metrics, rollouts, training, firsts };
}
const answers = { numGenerations: 2, maxNewTokens: 3 };
const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  expected.forEach((one, at) => void expect(found[at]).toBeCloseTo(one, 9));
};

it('compares each answer with the others to its prompt', async () => {
  const rloo = await trainedOn(methodOf.rloo({ ...answers, beta: 0 }));
  close(rloo.firsts, [-2, 2, 0, 0]);
  expect(rloo.metrics.frac_reward_zero_std).toBe(0.5);
  expect(rloo.training.critic).toBeUndefined();
  const grpo = await trainedOn(methodOf.grpo({ ...answers, scaleRewards: 'none' }));
  close(grpo.firsts, [-1, 1, 0, 0]);
});

it('subtracts the KL only if it is part of the reward', async () => {
  const own = { ...answers, beta: 0.5, klEstimator: 'k1' };
  const { rollouts, firsts } = await trainedOn(methodOf.rloo({ ...own, klIn: 'reward' }));
  const { layout, logprobs } = rollouts;
  const kl = layout.sums(logprobs.old!.map((one, token) => one - logprobs.reference![token]!));
  const [a, b, c, d] = scores.map((score, at) => score - 0.5 * kl[at]!);
  close(firsts, [a! - b!, b! - a!, c! - d!, d! - c!]);
  expect(kl.some((one) => Math.abs(one) > 1e-3)).toBe(true);
  const inLoss = { ...own, klIn: 'loss', klEstimator: 'k3' };
  close((await trainedOn(methodOf.rloo(inLoss))).firsts, [-2, 2, 0, 0]);
});

it('subtracts a baseline of the batch, and whitens', async () => {
  const own = { ...answers, beta: 0 };
  const batch = await trainedOn(methodOf.reinforce({ ...own, baseline: 'batch' }));
  close(batch.firsts, [-2.5, -0.5, 1.5, 1.5]);
  // In the first batch of a running baseline, each is compared with the mean of the others.
  const running = await trainedOn(methodOf.reinforce(own));
  close(running.firsts, [-10 / 3, -2 / 3, 2, 2]);
  const white = await trainedOn(
    methodOf.reinforce({ ...own, baseline: 'batch', whitenAdvantages: true }),
  );
  expect(white.firsts[0]).toBeCloseTo(-2.5 / Math.sqrt(11 / 3), 6);
  expect(white.firsts[3]).toBeCloseTo(1.5 / Math.sqrt(11 / 3), 6);
});

it('gives the critic of PPO the returns, and the policy generalised advantages', async () => {
  const own = { ...answers, numIterations: 1, beta: 0, gaeLambda: 1 };
  const plain = await trainedOn(methodOf.ppo({ ...own, whitenAdvantages: false }));
  // An untrained critic returns 0: returns and advantages are the score, at every token.
  const { layout } = plain.rollouts;
  close(plain.training.critic!.returns, [...layout.spread(scores)]);
  close(plain.training.advantages, [...layout.spread(scores)]);
  const white = await trainedOn(methodOf.ppo(own));
  const { advantages, critic } = white.training;
  expect(advantages.reduce((all, one) => all + one, 0)).toBeCloseTo(0, 9);
  close(critic!.returns, [...plain.training.critic!.returns]);
});
