// kill -9 of a PPO run: in a rollout, in an update, in a checkpoint between updates on one batch.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Killing, killInCheckpoint, linesOf } from './fixtures/killing.ts';
import { expectSameRun } from './fixtures/run-files.ts';
import { writeTinyChatModel } from './fixtures/tiny-chat-model.ts';
import { writePrompts, writeRewardModule } from './online/fixtures/prompt-files.ts';
import type { TrainPpoOptions } from './run-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-kill-online-'));
const killing = new Killing('ppo', join(folder, 'cache'));
let base: Omit<TrainPpoOptions, 'output'>;
beforeAll(() => {
  const data = [writePrompts(folder)];
  base = {
    model: writeTinyChatModel(join(folder, 'model')),
    data,
    evalData: data,
    reward: writeRewardModule(folder),
    precision: 'fp32',
    learningRate: 1e-2,
    criticLearningRate: 2e-2,
    batchSize: 4,
    maxNewTokens: 12,
    // A checkpoint every 4 steps, a batch every 6: checkpoints fall before, into and between epochs.
    numIterations: 3,
    minibatches: 2,
    klController: 'adaptive',
    rewardScale: 'running',
    maxSteps: 24,
    saveSteps: 4,
    evalSteps: 12,
    loraRank: 4,
    loraDropout: 0.2,
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const samplesOf = (run: string): string => readFileSync(join(run, 'samples.jsonl'), 'utf8');

describe('kill -9', () => {
  const whole = join(folder, 'whole');
  beforeAll(() => killing.toTheEnd({ ...base, output: whole }));

  it('before a rollout has been trained on, and within an update', async () => {
    const options = { ...base, output: join(folder, 'in-a-step') };
    const lines = (): number => linesOf(join(options.output, 'metrics.jsonl'));
    const samples = (): number => linesOf(join(options.output, 'samples.jsonl'));
    const moments = [
      // The samples of the first batch are there, and no step on it was made.
      () => samples() > 6,
      () => lines() >= 6,
      () => lines() >= 15,
    ];
    for (const [attempt, moment] of moments.entries()) {
      await killing.kill({ ...options, resume: attempt > 0 }, options.output, moment);
    }
    expect(existsSync(join(options.output, 'final'))).toBe(false);
    await killing.toTheEnd({ ...options, resume: true });
    expectSameRun(options.output, whole);
    expect(samplesOf(options.output)).toBe(samplesOf(whole));
  });

  it('in the middle of writing a checkpoint', async () => {
    const options = { ...base, output: join(folder, 'in-a-checkpoint') };
    await killInCheckpoint(killing, options, whole);
    expect(samplesOf(options.output)).toBe(samplesOf(whole));
  });
});
