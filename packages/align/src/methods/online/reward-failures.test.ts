// Online runs whose reward fails, returns invalid scores or is stopped: nothing is lost.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import type { RunFailedError } from '../../training/run-failed-error.ts';
import type { RunResult } from '../../training/run-training.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { type TrainPpoOptions, trainPpo } from '../ppo/ppo.ts';
import { writePrompts } from './fixtures/prompt-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-failures-'));
const inside = (name: string): string => join(folder, name);
let data: string;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  // The test decides what the reward does, by the number of the call.
  writeFileSync(
    inside('reward.mjs'),
    'export default ({ tokens }) => globalThis.keelTestReward(tokens);\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Judge = (tokens: number) => unknown;
const judgeBy = (judge: Judge): void => {
  (globalThis as { keelTestReward?: Judge }).keelTestReward = judge;
};
const usual: Judge = (tokens) => 1 / tokens;
/** Another reward for one call. */
const butAt = (call: number, judge: () => unknown): Judge => {
  let calls = 0;
  return (tokens) => (++calls === call ? judge() : usual(tokens));
};

let runs = 0;
type Options = TrainPpoOptions & TrainGrpoOptions;
const optionsOf = (own: object = {}): Options => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`) },
  ...{ reward: inside('reward.mjs'), precision: 'fp32', learningRate: 1e-2, threads: 1 },
  ...{ batchSize: 2, numGenerations: 2, maxNewTokens: 8, loraRank: 4, maxSteps: 5, saveSteps: 100 },
  ...own,
});

const throwing = (): never => {
  throw new Error('no idea');
};

describe('a reward that fails in the third rollout batch', () => {
  it.each<[string, (options: Options) => Promise<RunResult>, () => unknown, RegExp]>([
    ['throws', trainGrpo, throwing, /reward\.mjs: no idea/],
    ['rejects with no Error', trainGrpo, () => Promise.reject({ status: 429 }), /status: 429/],
    ['gives nonsense', trainGrpo, () => ({ score: 1, aspects: [1, 2] }), /`aspects` is \[ 1, 2 \]/],
    ['gives no score', trainPpo, () => null, /the reward returned no score/],
    ['gives NaN', trainGrpo, () => Number.NaN, /the score is NaN/],
  ])('%s: the run ends, and resumes bit for bit', async (_, train, judge, message) => {
    judgeBy(usual);
    const whole = optionsOf({ numIterations: 1, loraDropout: 0.2 });
    await train(whole);
    const broken = { ...whole, output: inside(`run-${runs++}`) };
    judgeBy(butAt(10, judge));
    const error = (await train(broken).catch((thrown) => thrown)) as RunFailedError;
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^.*prompts\.jsonl:\d, answer ".*/);
    expect(error.message).toMatch(/\nThe state after step 2 is saved in .*step-2\.$/);
    expect(error).toMatchObject({ name: 'RunFailedError', step: 2 });
    judgeBy(usual);
    await train({ ...broken, resume: true });
    expectSameRun(broken.output, whole.output);
  });

  it('in an evaluation: the evaluation is repeated on resume', async () => {
    const shape = { evalData: [data], evalSteps: 2, maxSteps: 4 };
    judgeBy(usual);
    const whole = optionsOf(shape);
    await trainGrpo(whole);
    const broken = optionsOf(shape);
    // 6 held-out answers, two batches of 4, and the second of the next 6.
    judgeBy(butAt(16, throwing));
    await expect(trainGrpo(broken)).rejects.toThrow(/after step 2 is saved/);
    judgeBy(usual);
    await trainGrpo({ ...broken, resume: true });
    expectSameRun(broken.output, whole.output);
  });
});

describe('a run that is stopped', () => {
  it('while a reward is in progress abandons it, and resumes from the previous step', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    using _ = { [Symbol.dispose]: () => vi.useRealTimers() };
    const shape = { evalData: [data], maxSteps: 4, numIterations: 1, minibatches: 2 };
    judgeBy(usual);
    const whole = optionsOf(shape);
    await trainPpo(whole);
    const broken = optionsOf(shape);
    const stopAt = async (call: number, resume: boolean) => {
      const controller = new AbortController();
      // Only the signal ends this call.
      const never = (): Promise<never> => {
        setImmediate(() => {
          controller.abort();
          vi.advanceTimersByTime(10_000);
        });
        return new Promise(() => {});
      };
      judgeBy(butAt(call, never));
      return trainPpo({ ...broken, resume }, { signal: controller.signal });
    };
    expect(await stopAt(3, false)).toMatchObject({ interrupted: true, step: 0 });
    // After 6 held-out answers and one batch of 4 answers and 2 steps.
    expect(await stopAt(12, true)).toMatchObject({ interrupted: true, step: 2 });
    // In the evaluation after the last step.
    expect(await stopAt(6, true)).toMatchObject({ interrupted: true, step: 4 });
    judgeBy(usual);
    expect(await trainPpo({ ...broken, resume: true })).toMatchObject({
      interrupted: false,
    });
    expectSameRun(broken.output, whole.output);
    expect(metricsOf(broken.output).some((row) => row.eval_reward !== undefined)).toBe(true);
  });
});

it('limits the time of a call, and logs the time that rewards took', async () => {
  // With a limit, it runs in another thread, so a file tells it what to do.
  const file = JSON.stringify(inside('no-limit'));
  writeFileSync(
    inside('late.mjs'),
    `import { existsSync } from 'node:fs';
let calls = 0;
export default ({ tokens }) =>
  ++calls === 3 && !existsSync(${file}) ? new Promise(() => {}) : 1 / tokens;
`,
  );
  const options = optionsOf({ reward: inside('late.mjs'), rewardTimeout: 0.2 });
  await expect(trainGrpo(options)).rejects.toThrow(
    /no result after 0\.2 s, the time limit of a call \(--reward-timeout\)\nNo step had finished/,
  );
  writeFileSync(inside('no-limit'), '');
  // Changing either option does not prevent resuming.
  const changed = { ...options, rewardTimeout: null, rewardConcurrency: 3, resume: true };
  await trainGrpo(changed);
});
