import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RewardModel } from '../../rewards/reward-model.ts';
import type { SampleLine } from '../../runs/samples-log.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { writePrompts } from '../online/fixtures/prompt-files.ts';
import { type TrainD2poOptions, trainD2po } from './d2po.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-d2po-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  // The share of an answer that is printable ASCII.
  writeFileSync(
    inside('plain.mjs'),
    `export default ({ text }) => [...text].filter((one) => /[ -~]/.test(one)).length / Math.max(1, text.length);\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<TrainD2poOptions> = {}): TrainD2poOptions => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`) },
  ...{ reward: inside('plain.mjs'), precision: 'fp32', scheduler: 'constant', threads: 1 },
  ...{ learningRate: 3e-3, discriminatorLearningRate: 3e-3, discriminatorEpochs: 2, topK: 8 },
  ...{ batchSize: 6, numGenerations: 4, loraRank: 4, maxNewTokens: 8, goldShare: 0.5 },
  ...{ beta: 0.05 },
  ...own,
});

const samplesOf = (run: string): SampleLine[] =>
  readFileSync(join(run, 'samples.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('keel d2po', () => {
  it('raises the reward with few gold labels, and saves a usable discriminator', async () => {
    const before = await liveMemory();
    const learning = { discriminatorLearningRate: 1e-2, discriminatorMemory: 64 };
    const more = { ...learning, maxNewTokens: 4, goldBudget: 40, maxSteps: 60 };
    const result = await trainD2po(optionsOf({ evalData: [data], ...more }));
    expect(await liveMemory()).toEqual(before);
    const rows = metricsOf(result.path);
    const evaluations = rows.filter(({ eval_reward }) => eval_reward !== undefined);
    const [first, last] = [evaluations[0]!.eval_reward!, evaluations.at(-1)!.eval_reward!];
    const steps = rows.filter(({ loss }) => loss !== undefined);
    const { 'discriminator/agreement_so_far': agreement, ...ending } = steps.at(-1)!;
    console.log(
      `d2po: held-out reward ${first} -> ${last}; ${ending['labels/gold_total']} gold and ${ending['labels/silver_total']} silver pairs, agreement ${agreement}`,
    );
    expect(last).toBeGreaterThan(first + 0.2);
    expect(agreement).toBeGreaterThan(0.6);
    expect(ending).toMatchObject({ 'labels/gold_total': 40, 'labels/gold_calls_total': 80 });
    expect(ending['labels/silver_total']).toBeGreaterThan(40);
    const report = readFileSync(join(result.path, 'report.html'), 'utf8');
    expect(report).toContain('<h3>Held-out reward</h3>');
    const samples = samplesOf(result.path).filter((one) => !one.held_out && one.step > 30);
    expect(new Set(samples.map(({ label }) => label))).toEqual(new Set([undefined, 'silver']));
    expect(samples.every(({ reward }) => reward === null)).toBe(true);
    const saved = join(result.path, 'discriminator');
    using model = await RewardModel.open(saved, { model: inside('model'), precision: 'fp32' });
    const completion = (text: string) => [{ role: 'assistant', content: text }];
    const asked = samples.filter(({ prompt }) => typeof prompt !== 'string').slice(0, 4);
    const scores = await model.scoreRows(
      asked.map((line) => ({ prompt: line.prompt, completion: completion(line.completion) })),
    );
    scores.forEach(({ score }, at) => {
      expect(score).toBeCloseTo(asked[at]!.discriminator!, 4);
    });
    const again = optionsOf({ maxSteps: 1, discriminatorFrom: saved, numGenerations: 2 });
    const [step] = metricsOf((await trainD2po(again)).path);
    expect(step!['labels/silver']).toBe(3);
    expect(step!['discriminator/score']).not.toBe(0);
  });

  it.each([
    {
      ...{ numGenerations: 3, minibatches: 2, goldShare: 0.4, discriminatorWarmup: 2 },
      ...{ discriminatorMemory: 3, discriminatorBatchSize: 2, loraDropout: 0.2 },
    },
    {
      ...{ goldBudget: 8, goldShare: 1, goldChoice: 'uncertain', discriminatorWarmup: 4 },
      ...{ referenceSyncSteps: 2, rewardScale: 'running', numIterations: 2 },
    },
  ] as Partial<TrainD2poOptions>[])('resumes byte for byte: %o', async (own) => {
    const shape = { ...own, maxSteps: 7, saveSteps: 2, evalData: [data], evalSteps: 4 };
    const whole = optionsOf(shape);
    expect(await trainD2po(whole)).toMatchObject({ step: 7, interrupted: false });
    const silver = metricsOf(whole.output).at(-2)!['labels/silver_total']!;
    expect(silver).toBeGreaterThan(0);
    const broken = optionsOf(shape);
    for (const [attempt, after] of [0, 1, 3, 5].entries()) {
      const result = await trainD2po({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
    }
    const result = await trainD2po({ ...broken, resume: true });
    expectSameRun(result.path, whole.output);
    expect(samplesOf(result.path)).toEqual(samplesOf(whole.output));
    for (const file of ['adapter_model.safetensors', 'reward.json']) {
      const [ours, theirs] = [result.path, whole.output].map((run) =>
        readFileSync(join(run, 'discriminator', file)),
      );
      expect(ours!.equals(theirs!), file).toBe(true);
    }
  });

  it.each([
    [{ lora: false }, /lora: .*keel d2po/s],
    [{ numGenerations: 1 }, /numGenerations: .*at least 2/s],
    [{ goldBudget: 8 }, /goldBudget: .*16 gold pairs.*discriminatorWarmup/s],
    [{ discriminatorFrom: 'nowhere' }, /nowhere/],
  ] as [
    Partial<TrainD2poOptions>,
    RegExp,
  ][])('refuses invalid options: %o', async (own, message) => {
    const options = optionsOf({ maxSteps: 1, ...own });
    await expect(trainD2po(options)).rejects.toThrow(message);
    expect(existsSync(join(options.output, 'final'))).toBe(false);
  });
});
