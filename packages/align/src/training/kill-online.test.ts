// kill -9 of a PPO run in a rollout, in an update and in a checkpoint, each at exact moments: its
// final weights and metrics match an uninterrupted run bit for bit.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePrompts, writeRewardModule } from '../methods/online/fixtures/prompt-files.ts';
import type { TrainPpoOptions } from '../methods/ppo/ppo.ts';
import type { KillMoment } from '../testing/kill-moment.ts';
import { Killing } from '../testing/killing.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';

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
    // A checkpoint every 4 steps and a batch every 6: checkpoints fall before, within and between
    // epochs.
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

/** Counted from the start of each process; a resumed one starts at its checkpoint. */
const moments: Record<string, KillMoment[]> = {
  'a rollout': [
    // The first sampling, before anything was trained; evaluation samples in a separate phase.
    { phase: 'rollout', nth: 1, happening: 'token', count: 17 },
    // The second batch, after a checkpoint within the first.
    { phase: 'rollout', nth: 2, happening: 'token', count: 1 },
    { phase: 'rollout', nth: 1, happening: 'end', count: 1 },
    { phase: 'reward', nth: 1, happening: 'end', count: 1 },
    { phase: 'values', nth: 2, happening: 'begin', count: 1 },
    // Samples are half written.
    { phase: null, happening: 'append', count: 2 },
  ],
  'an update': [
    { phase: 'backward', happening: 'begin', count: 1 },
    // The critic's, after the policy's gradient of the same step was added.
    { phase: 'backward', happening: 'begin', count: 10 },
    { phase: 'forward', happening: 'end', count: 3 },
    { phase: 'optimiser', happening: 'begin', count: 2 },
    // Weights have changed, but no line is logged yet.
    { phase: 'optimiser', happening: 'end', count: 7 },
    { phase: null, happening: 'write', count: 20 },
  ],
  'a checkpoint': [
    { phase: 'checkpoint', nth: 1, happening: 'begin', count: 1 },
    // Halfway through the adapter, through the state, and between files.
    { phase: 'checkpoint', nth: 1, happening: 'write', count: 1 },
    { phase: 'checkpoint', nth: 2, happening: 'write', count: 2 },
    { phase: 'checkpoint', nth: 2, happening: 'rename', count: 2 },
    { phase: 'checkpoint', nth: 2, happening: 'rename', count: 5 },
    { phase: 'checkpoint', nth: 2, happening: 'end', count: 1 },
  ],
};

describe('kill -9', () => {
  const whole = join(folder, 'whole');
  beforeAll(() => killing.toTheEnd({ ...base, output: whole }));

  it.each(Object.keys(moments))('in %s', async (place) => {
    const options = { ...base, output: join(folder, place) };
    for (const [attempt, moment] of moments[place]!.entries()) {
      await killing.killAt({ ...options, resume: attempt > 0 }, moment);
      expect(existsSync(join(options.output, 'final'))).toBe(false);
    }
    await killing.toTheEnd({ ...options, resume: true });
    expectSameRun(options.output, whole);
    expect(samplesOf(options.output)).toBe(samplesOf(whole));
  });
});
