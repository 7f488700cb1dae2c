// Runs whose reward model is refreshed, with a reward that labels the policy's answers.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RewardModel } from '../../rewards/reward-model.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { trainReward } from '../reward/run-reward.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-refresh-'));
const inside = (name: string): string => join(folder, name);
let runs = 0;
const write = (name: string, rows: readonly object[]): string => {
  writeFileSync(inside(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return inside(name);
};
const prompts = Array.from({ length: 12 }, (_, at) => ({
  prompt: [{ role: 'user', content: `hello ${'day '.repeat(at % 4)}${at}` }],
}));
const says = (content: string) => [{ role: 'assistant', content }];
/** Pairs whose chosen answer is longer. */
const pairs = prompts.map(({ prompt }, at) => ({
  prompt,
  chosen: says(`world ${'day '.repeat(1 + (at % 3))}`),
  rejected: says('x'),
}));

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  write('prompts.jsonl', prompts);
  write('old.jsonl', pairs.slice(0, 8));
  write('held-out.jsonl', pairs.slice(8));
  writeFileSync(inside('short.mjs'), 'export default ({ text }) => -text.length;\n');
  writeFileSync(inside('same.mjs'), 'export default () => 1;\n');
  await trainReward({
    ...{ model: inside('model'), data: [inside('old.jsonl')], output: inside('reward') },
    ...{ ...tinyRun, lora: true, loraRank: 4, maxSteps: 4 },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<TrainGrpoOptions> = {}): TrainGrpoOptions => ({
  ...{ model: inside('model'), data: [inside('prompts.jsonl')], output: inside(`run-${runs++}`) },
  ...{ reward: inside('reward/final'), precision: 'fp32', threads: 1, samplePrompts: null },
  ...{ batchSize: 4, numGenerations: 4, loraRank: 4, maxNewTokens: 8, maxSteps: 6 },
  ...{ refresh: 2, refreshLabels: inside('short.mjs'), refreshData: [inside('old.jsonl')] },
  ...{ refreshEvalData: [inside('held-out.jsonl')], refreshSteps: 4, refreshBatchSize: 4 },
  ...own,
});

const refreshesOf = (run: string) =>
  metricsOf(run).filter((row) => row['refresh/accepted'] !== undefined);

describe('a run with --refresh', () => {
  it('labels pairs of its answers, learns them, and saves the reward model', async () => {
    const before = await liveMemory();
    const options = optionsOf({ refreshLearningRate: 1e-3 });
    const notices: string[] = [];
    await trainGrpo(options, {
      onEvent: (event) => event.type === 'notice' && notices.push(event.text),
    });
    expect(await liveMemory()).toEqual(before);
    const found = refreshesOf(options.output);
    // After two and after four of six batches.
    expect(found.map(({ step }) => step)).toEqual([3, 5]);
    const [first, second] = found;
    expect(first!['refresh/labelled']).toBeGreaterThan(3);
    expect(second!['refresh/pairs']).toBeGreaterThan(first!['refresh/pairs']!);
    for (const row of found) {
      const kept = row['refresh/accuracy']! >= row['refresh/accuracy_before']!;
      expect(row['refresh/accepted']).toBe(Number(kept));
    }
    expect(notices.filter((text) => text.startsWith('refresh '))).toHaveLength(2);
    const rows = pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen }));
    using model = await RewardModel.open(join(options.output, 'reward'), { precision: 'fp32' });
    using original = await RewardModel.open(inside('reward/final'), { precision: 'fp32' });
    const [now, then] = [await model.scoreRows(rows), await original.scoreRows(rows)];
    if (found.some((row) => row['refresh/accepted'] === 1)) expect(now).not.toEqual(then);
    // The held-out answers have the mean that they had at first.
    const fixed = pairs
      .slice(8)
      .flatMap(({ prompt, chosen, rejected }) =>
        [chosen, rejected].map((completion) => ({ prompt, completion })),
      );
    const mean = async (one: RewardModel): Promise<number> => {
      const scores = (await one.scoreRows(fixed)).map(({ score }) => score);
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    };
    expect(await mean(model)).toBeCloseTo(await mean(original), 3);
  });

  it('undoes a refresh that does worse on held-out comparisons, to the last bit', async () => {
    // Every label contradicts the old comparisons, and nothing else is learnt.
    const options = optionsOf({
      ...{ refreshLearningRate: 0.05, refreshShare: 1, refreshSteps: 12, maxSteps: 3 },
    });
    await trainGrpo(options);
    const [only] = refreshesOf(options.output);
    expect(only!['refresh/accuracy']).toBeLessThan(only!['refresh/accuracy_before']!);
    expect(only!['refresh/accepted']).toBe(0);
    const weights = (path: string): Buffer => readFileSync(join(path, 'adapter_model.safetensors'));
    const [kept, original] = [join(options.output, 'reward'), inside('reward/final')];
    expect(weights(kept).equals(weights(original))).toBe(true);
    const record = (path: string): unknown =>
      JSON.parse(readFileSync(join(path, 'reward.json'), 'utf8'));
    expect(record(kept)).toEqual(record(original));
  });

  it('learns nothing where no answer is better, and says so', async () => {
    const options = optionsOf({ refreshLabels: inside('same.mjs'), maxSteps: 3 });
    const notices: string[] = [];
    await trainGrpo(options, {
      onEvent: (event) => event.type === 'notice' && notices.push(event.text),
    });
    expect(refreshesOf(options.output)[0]).toMatchObject({
      'refresh/labelled': 0,
      'refresh/accepted': 0,
    });
    expect(notices).toContainEqual(expect.stringMatching(/^refresh 1: no pair/));
  });

  it('goes on after a stop as if there had been none, byte for byte', async () => {
    const shape = { refreshLearningRate: 1e-3, saveSteps: 2, maxSteps: 7 };
    const whole = optionsOf(shape);
    await trainGrpo(whole);
    const broken = optionsOf(shape);
    for (const [attempt, after] of [2, 3, 6].entries()) {
      const result = await trainGrpo({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
    }
    const result = await trainGrpo({ ...broken, resume: true });
    expect(result).toMatchObject({ interrupted: false, step: 7 });
    expectSameRun(result.path, whole.output);
    const weights = (run: string): Buffer =>
      readFileSync(join(run, 'reward', 'adapter_model.safetensors'));
    expect(weights(broken.output).equals(weights(whole.output))).toBe(true);
  });
});

describe('what does not go with --refresh is refused by name', () => {
  it.each([
    [{ refreshLabels: undefined }, /^refreshLabels: is required/],
    [{ refresh: undefined }, /^refreshLabels: has no effect/],
    [
      {
        ...{ refresh: undefined, refreshLabels: undefined, refreshData: undefined },
        ...{ refreshEvalData: undefined, refreshSteps: 3 },
      },
      /^refreshSteps: has no effect/,
    ],
    [{ lora: false, beta: 0 }, /^refresh: .*base/],
  ])('%o', async (own, message) => {
    await expect(trainGrpo(optionsOf(own as never))).rejects.toThrow(message);
  });

  it('a reward that is no reward model, before any step', async () => {
    const options = optionsOf({ reward: inside('short.mjs') });
    await expect(trainGrpo(options)).rejects.toThrow(/--reward .*short\.mjs.*--refresh/);
    expect(existsSync(join(options.output, 'metrics.jsonl'))).toBe(false);
  });
});
