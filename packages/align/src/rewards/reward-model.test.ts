import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '@keel/model';
import { Division, memory, ProcessGroup } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainReward } from '../methods/reward/run-reward.ts';
import {
  tinyRows,
  tinyTemplate,
  writeRowsFile,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';
import { writeJudged } from '../testing/tiny-judged.ts';
import { modelReward, modelSchema } from './model-reward.ts';
import { openReward } from './open-reward.ts';
import { UnreadableInputError } from './reward.ts';
import { RewardModel } from './reward-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-model-'));
const inside = (name: string): string => join(folder, name);
const fp32 = { precision: 'fp32', device: 'cpu' } as const;
const pairs = tinyRows(6);
const rows = pairs.flatMap(({ prompt, chosen, rejected }) => [
  { prompt, completion: chosen },
  { prompt, completion: rejected },
]);
const [first, second, whole, heads, steps] = ['a', 'b', 'whole', 'heads', 'steps'].map(inside);

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  const data = [writeRowsFile(folder, pairs)];
  const usual = {
    ...{ model: inside('model'), data, maxSteps: 2, learningRate: 1e-2, batchSize: 3 },
    ...{ precision: 'fp32' as const, threads: 1, saveSteps: null, loraRank: 4 },
  };
  await trainReward({ ...usual, output: first!, lora: true, seed: 1 });
  await trainReward({ ...usual, output: second!, lora: true, seed: 2 });
  await trainReward({ ...usual, output: whole! });
  await trainReward({ ...usual, output: heads!, lora: true, heads: 3 });
  const process = { prompt: 'hello', completions: ['wo', 'day'], labels: [true, false], extra: {} };
  const judged = writeJudged(folder, [process]);
  await trainReward({ ...usual, data: [judged], batchSize: 1, output: steps!, lora: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const final = (run: string | undefined): string => join(run!, 'final');

const scoresOf = async (from: string | string[], options = {}): Promise<number[]> => {
  using rewards = await RewardModel.open(from, { ...fp32, ...options });
  return (await rewards.scoreRows(rows)).map(({ score }) => score);
};

describe('scores', () => {
  it.each([
    ['an adapter', () => final(first)],
    ['a whole model', () => final(whole)],
  ])('do not depend on what is scored together: %s', async (_, path) => {
    const before = await liveMemory();
    const together = await scoresOf(path());
    const apart = await scoresOf(path(), { batchTokens: 1 });
    for (const [row, score] of together.entries()) expect(apart[row]).toBeCloseTo(score, 4);
    expect(new Set(together).size).toBeGreaterThan(6);
    using rewards = await RewardModel.open(path(), fp32);
    expect((await rewards.scoreRows([rows[3]!]))[0]!.score).toBeCloseTo(together[3]!, 4);
    expect(await rewards.scoreRows([])).toEqual([]);
    rewards[Symbol.dispose]();
    expect(await liveMemory()).toEqual(before);
  });

  it('are the same where processes divide the weights, also of a reward', async () => {
    const launch = {
      rank: 0,
      size: 1,
      localRank: 0,
      localSize: 1,
      launcher: 'environment',
    } as const;
    const here = { host: 'localhost', port: 0, serves: true, attempt: 'reward model' };
    const group = await ProcessGroup.join({ ...launch, ...here }, { timeout: 20 });
    const divides = Division.of(group);
    for (const path of [final(first), final(whole)]) {
      expect(divides.isEmpty).toBe(true);
      const expected = await scoresOf(path);
      expect(await scoresOf(path, { divides })).toEqual(expected);
      const reward = await openReward(path, { ...fp32, divides });
      expect(divides.isEmpty).toBe(false);
      const inputs = rows.map((row) => ({ ...row, extra: {} }));
      const found = await reward.score(inputs);
      expect(found.map(({ score }) => score)).toEqual(expected);
      await reward[Symbol.asyncDispose]();
    }
    expect(divides.isEmpty).toBe(true);
    await group.close();
  });

  it('say once where the chat template leaves text of the answers out', async () => {
    const told: (readonly string[])[] = [];
    const onLost = (fields: readonly string[]): void => void told.push(fields);
    using rewards = await RewardModel.open(final(first), { ...fp32, onLost });
    const answer = { role: 'assistant', content: 'a', reasoning_content: 'b' };
    const row = { prompt: [{ role: 'user', content: 'q' }], completion: [answer] };
    await rewards.scoreRows([...rows, row, row]);
    await rewards.scoreRows([row]);
    expect(told).toEqual([['reasoning_content']]);
  });

  it('of an ensemble of adapters are the combined scores of each', async () => {
    const [a, b] = [await scoresOf(final(first)), await scoresOf(final(second))];
    using both = await RewardModel.open([final(first), final(second)], fp32);
    expect(both.heads).toBe(2);
    const found = await both.scoreRows(rows);
    for (const [row, { score, heads }] of found.entries()) {
      expect(heads[0]).toBeCloseTo(a[row]!, 4);
      expect(heads[1]).toBeCloseTo(b[row]!, 4);
      expect(score).toBeCloseTo((a[row]! + b[row]!) / 2, 4);
    }
    const ensemble = { rule: 'minimum' as const };
    const lowest = await scoresOf([final(first), final(second)], { ensemble });
    for (const [row, score] of lowest.entries()) {
      expect(score).toBeCloseTo(Math.min(a[row]!, b[row]!), 4);
    }
    // The same rule in a spec.
    const spec = { type: 'model', path: [final(first), final(second)], ensemble: 'minimum' };
    await using reward = await modelReward(modelSchema.parse(spec), fp32);
    const scored = await reward.score(rows.map((row) => ({ ...row, extra: {} })));
    for (const [row, { score }] of scored.entries()) expect(score).toBeCloseTo(lowest[row]!, 4);
    const unused = modelSchema.safeParse({ ...spec, ensemble_k: 2 });
    expect(unused.error!.issues[0]!.path).toEqual(['ensemble_k']);
  });

  it('of several heads can be reduced where the heads differ', async () => {
    using rewards = await RewardModel.open(final(heads), {
      ...fp32,
      ensemble: { rule: 'lower_bound', k: 2 },
    });
    for (const { score, heads: own } of await rewards.scoreRows(rows)) {
      const mean = own.reduce((sum, one) => sum + one, 0) / 3;
      const variance = own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 2;
      expect(score).toBeCloseTo(mean - 2 * Math.sqrt(variance), 9);
    }
  });

  it('of steps are log-odds, and the answer has the log-probability that all are right', async () => {
    using rewards = await RewardModel.open(final(steps), fp32);
    const row = { prompt: 'hello', completion: 'wo\nday' };
    const [only] = await rewards.scoreRows([row]);
    const { score, steps: found = [] } = only!;
    expect(found).toHaveLength(2);
    const all = found.reduce((sum, x) => sum - Math.log1p(Math.exp(-x)), 0);
    expect(score).toBeCloseTo(all, 9);
  });

  it('come from a model that shares its base with others', async () => {
    const model = await loadModel(inside('model'), fp32);
    const before = await liveMemory();
    using rewards = RewardModel.on(model, [final(first)], fp32);
    expect(rewards.model).toBe(model);
    const expected = await scoresOf(final(first));
    const found = await rewards.scoreRows(rows);
    for (const [row, { score }] of found.entries()) expect(score).toBeCloseTo(expected[row]!, 4);
    rewards[Symbol.dispose]();
    // The base still belongs to its owner.
    expect(memory().tensors).toBeGreaterThan(before.tensors);
    expect(model.hasScoreHead('reward')).toBe(true);
    model.dispose();
  });

  it('stop when the signal fires', async () => {
    using rewards = await RewardModel.open(final(first), fp32);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(rewards.scoreRows(rows, signal)).rejects.toThrow('enough');
  });
});

describe('an error is reported', () => {
  it('for a folder that is not a reward model, with what to do', async () => {
    await expect(RewardModel.open(inside('model'), fp32)).rejects.toThrow(
      /model .*scalar head.*keel reward/,
    );
    await expect(RewardModel.open([final(first), final(whole)], fp32)).rejects.toThrow(
      /whole[^:]*: .*whole.* adapter/,
    );
    await expect(RewardModel.open([final(whole), final(whole)], fp32)).rejects.toThrow(
      /whole.*--lora.*--heads/,
    );
  });

  it('for a damaged reward.json, with its field', async () => {
    const path = join(final(second), 'reward.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"last"', '"first"'));
    await expect(RewardModel.open(final(second), fp32)).rejects.toThrow(/reward\.json: read_at: /);
    writeFileSync(path, '{');
    await expect(RewardModel.open(final(second), fp32)).rejects.toThrow(/reward\.json .*JSON/);
    writeFileSync(path, text);
  });

  it('for an answer that is empty or too long, with its row', async () => {
    using rewards = await RewardModel.open(final(first), fp32);
    const empty = { prompt: 'hello', completion: '' };
    await expect(rewards.scoreRows([rows[1]!, empty])).rejects.toThrow(
      'row 1: the answer is empty',
    );
    const long = { prompt: 'hello', completion: 'x '.repeat(3000) };
    await expect(rewards.scoreRows([long])).rejects.toThrow(/row 0: .* 2048/);
  });
});

it('names the answer whose conversation its chat template rejects', async () => {
  const strict = inside('strict');
  cpSync(final(first), strict, { recursive: true });
  const refusal =
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}";
  writeFileSync(join(strict, 'chat_template.jinja'), `${refusal}${tinyTemplate}`);
  await using reward = await modelReward({ type: 'model', path: strict }, fp32);
  const completion = [{ role: 'assistant' as const, content: 'day' }];
  const inputs = ['user', 'system'].map((role) => ({
    ...{ prompt: [{ role, content: 'hello' }], completion, extra: {} },
  }));
  await expect(reward.score(inputs)).rejects.toSatisfy(
    (error) =>
      error instanceof UnreadableInputError && error.index === 1 && /no system/.test(error.message),
  );
});
