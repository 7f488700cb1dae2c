import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { programOptions } from '../../config/program-options.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { ppoDefinition } from '../ppo/ppo-options.ts';
import { methodOf } from './fixtures/method-of.ts';
import { tinyOnline } from './fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-shape-'));
beforeAll(() => void writeTinyChatModel(folder));
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const s = (x: number): number => 1 / (1 + Math.exp(-x));
const half = { beta: 0, numGenerations: 2, maxNewTokens: 6, rewardShape: 'sigmoid' };

it.each([
  'ppo',
  'grpo',
  'rloo',
  'reinforce',
  'remax',
] as const)('%s trains on the shape of rewards, and reports the rewards themselves', async (verb) => {
  const own = { ...half, ...(verb !== 'ppo' && { numGenerations: 2 }) };
  const method = methodOf[verb]({ ...own, rewardCentre: 3 });
  using online = await tinyOnline(folder, { method, reward: () => 4 });
  const metrics = await online.task.step();
  expect(metrics.reward).toBeCloseTo(s(1), 12);
  expect(metrics['objective/scores']).toBe(4);
  expect(metrics['objective/reference_scores']).toBeUndefined();
});

it('compares with answers of the policy before training, not with its own', async () => {
  const seen: string[] = [];
  const method = methodOf.rloo({ ...half, referenceAnswers: 3 });
  const reward = ({ text }: { text: string }): number => {
    seen.push(text);
    return text.length / 10;
  };
  using online = await tinyOnline(folder, { method, reward, moved: true, batchSize: 2 });
  const metrics = await online.task.step();
  expect(seen).toHaveLength(2 * 2 + 2 * 3);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length;
  const scores = seen.map((text) => text.length / 10);
  const references = [scores.slice(4, 7), scores.slice(7)];
  expect(metrics['objective/reference_scores']).toBeCloseTo(mean(references.flat()), 12);
  const expected = scores
    .slice(0, 4)
    .map((score, at) => mean(references[at < 2 ? 0 : 1]!.map((own) => s(score - own))));
  expect(metrics.reward).toBeCloseTo(mean(expected), 12);
  // Another policy, the same reference answers: they are those of the base.
  const before = seen.slice(4);
  seen.length = 0;
  using other = await tinyOnline(folder, { method, reward, batchSize: 2 });
  await other.task.step();
  expect(seen.slice(4)).toEqual(before);
});

it("ReMax's greedy baseline is compared with the same reference answers", async () => {
  let calls = 0;
  const method = methodOf.remax({ ...half, numGenerations: 1 });
  const reward = (): number => ++calls;
  using online = await tinyOnline(folder, { method, reward, batchSize: 2 });
  await online.task.step();
  // Two answers, two reference answers, two greedy ones.
  expect(calls).toBe(6);
});

it('the next batch is the same after a resume', async () => {
  const method = methodOf.grpo(half);
  using one = await tinyOnline(folder, { method });
  await one.task.step();
  const state = one.task.state();
  const [expected, resumed] = [await one.task.step(), await tinyOnline(folder, { method })];
  using other = resumed;
  other.task.restore(state);
  expect(await other.task.step()).toEqual(expected);
});

it('refuses what has no effect or no reference', () => {
  const needed = { data: ['x'], output: 'x', reward: 'x' };
  for (const [own, message] of [
    [{ rewardCentre: 1 }, /^rewardCentre: .*rewardShape/],
    [{ referenceAnswers: 2 }, /^referenceAnswers: .*rewardShape/],
    [{ rewardShape: 'sigmoid', rewardScale: 'running' }, /^rewardScale: /],
    [{ rewardShape: 'sigmoid', rewardCentre: 0, referenceAnswers: 2 }, /^referenceAnswers: /],
  ] as const) {
    expect(() => programOptions(ppoDefinition, { ...needed, ...own })).toThrow(message);
  }
});
