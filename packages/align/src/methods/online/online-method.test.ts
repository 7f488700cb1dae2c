import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SampleLine } from '../../runs/samples-log.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import type { RunHooks, RunResult } from '../../training/run-training.ts';
import { trainGrpo } from '../grpo/grpo.ts';
import { trainOnlineDpo } from '../online-dpo/online-dpo.ts';
import { type TrainPpoOptions, trainPpo } from '../ppo/ppo.ts';
import { trainRaft } from '../raft/raft.ts';
import { trainReinforce } from '../reinforce/reinforce.ts';
import { trainRemax } from '../remax/remax.ts';
import { trainReward } from '../reward/run-reward.ts';
import { trainRloo } from '../rloo/rloo.ts';
import { fineTune } from '../supervised/run-sft.ts';
import { writePrompts, writeRewardModule } from './fixtures/prompt-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-online-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let reward: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  reward = writeRewardModule(folder);
  const rows = ['hello', 'day'].map((text) => ({ prompt: text, completion: 'wo' }));
  writeFileSync(inside('sft.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Common = Omit<TrainPpoOptions, 'data' | 'output' | 'reward'>;
const optionsOf = (own: Partial<TrainPpoOptions> = {}): TrainPpoOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  reward,
  precision: 'fp32',
  learningRate: 1e-2,
  scheduler: 'constant',
  batchSize: 4,
  loraRank: 4,
  maxNewTokens: 12,
  maxSteps: 4,
  threads: 1,
  ...own,
});

const trainers = {
  rloo: trainRloo,
  grpo: trainGrpo,
  reinforce: trainReinforce,
  ppo: trainPpo,
  remax: trainRemax,
  'online-dpo': trainOnlineDpo,
  raft: trainRaft,
} as Record<string, (options: TrainPpoOptions, hooks?: RunHooks) => Promise<RunResult>>;

const samplesOf = (run: string): SampleLine[] =>
  readFileSync(join(run, 'samples.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

it.each([
  [
    '--pretraining-data',
    { pretrainingData: [inside('nowhere.jsonl')] },
    /nowhere\.jsonl: there is no such/,
  ],
  ['--reward', { reward: inside('nowhere.mjs') }, /there is no file .*nowhere\.mjs/],
])('a missing %s is reported before a model is looked for', async (_, own, message) => {
  const options = { ...optionsOf({}), model: inside('no-model'), ...own };
  await expect(trainPpo(options)).rejects.toThrow(message);
  expect(existsSync(options.output)).toBe(false);
});

it('a row that is marked as not to be trained on is refused before a model is looked for', async () => {
  const marked = inside('marked.jsonl');
  writeFileSync(marked, '{"prompt": "Hello", "train": false}\n');
  const options = { ...optionsOf({}), model: inside('no-model'), data: [marked] };
  await expect(trainPpo(options)).rejects.toMatchObject({ field: 'train', line: 1 });
});

describe('the reward rises', () => {
  const own: Record<string, Common & Record<string, unknown>> = {
    rloo: { maxSteps: 30, beta: 0.01, batchSize: 6, numGenerations: 8 },
    grpo: { maxSteps: 16 },
    reinforce: { maxSteps: 30, beta: 0.01, batchSize: 6, numGenerations: 8 },
    ppo: {
      maxSteps: 60,
      beta: 0.01,
      batchSize: 6,
      numGenerations: 2,
      numIterations: 2,
      valueCoefficient: 1,
    },
  };
  own.remax = { maxSteps: 50, beta: 0.01, batchSize: 6, numGenerations: 8 };
  own['online-dpo'] = { maxSteps: 40, batchSize: 6, numGenerations: 8, beta: 0.05 };
  own.raft = { maxSteps: 30, batchSize: 6, numGenerations: 8 };
  // D2PO has its own file.
  it.each(Object.keys(own))('with %s', async (verb) => {
    const before = await liveMemory();
    const options = optionsOf({ evalData: [data], ...own[verb] });
    const result = await trainers[verb]!(options);
    expect(await liveMemory()).toEqual(before);
    const evaluations = metricsOf(result.path).filter(
      ({ eval_reward }) => eval_reward !== undefined,
    );
    const [first, last] = [evaluations[0]!, evaluations.at(-1)!];
    console.log(`${verb}: held-out reward ${first.eval_reward} -> ${last.eval_reward}`);
    expect(first.eval_reward).toBeLessThan(0.5);
    expect(last.eval_reward).toBeGreaterThan(0.8);
    expect(last['eval_completions/mean_length']).toBeLessThan(
      first['eval_completions/mean_length']!,
    );
    expect(last['rewards/tokens/mean']).toBeUndefined();
    const report = readFileSync(join(result.path, 'report.html'), 'utf8');
    expect(report).toContain('<h3>Held-out reward</h3>');
    expect(report).toContain('6 held-out prompts, one sampled answer each');
    expect(report).toContain('The same prompts, before and after');
    for (const chart of ['reward', 'answer-length', 'ended', 'entropy']) {
      expect(report).toContain(`id="chart-${chart}"`);
    }
    const samples = samplesOf(result.path);
    const held = samples.filter((one) => one.held_out);
    expect(held.map(({ step }) => step)).toEqual([
      ...Array(6).fill(0),
      ...Array(6).fill(options.maxSteps),
    ]);
    expect(samples[6]).toMatchObject({
      step: 1,
      reward: expect.any(Number),
      aspects: { tokens: expect.any(Number) },
      kl: verb === 'grpo' ? null : 0,
      ended: expect.any(Boolean),
    });
    // The result is the policy's adapter only.
    const config = JSON.parse(readFileSync(join(result.final, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ task_type: 'CAUSAL_LM', r: 4 });
  });
});

describe('a run that was stopped and resumed in the middle of a batch', () => {
  it.each([
    [
      'ppo',
      {
        numIterations: 2,
        minibatches: 2,
        rewardScale: 'running',
        klController: 'adaptive',
        loraDropout: 0.2,
      },
    ],
    ['ppo', { critic: 'shared', numIterations: 3, criticWarmup: 0 }],
    ['grpo', { numIterations: 3, beta: 0.1, numGenerations: 2 }],
    [
      'ppo',
      {
        pretrainingData: [inside('sft.jsonl')],
        pretrainingBatchSize: 3,
        pretrainingCoefficient: 0.5,
      },
    ],
    ['reinforce', {}],
    ['remax', { temperature: 0.8 }],
    ['online-dpo', { numIterations: 3, numGenerations: 3 }],
    ['online-dpo', { numGenerations: 3, minibatches: 2, referenceSyncSteps: 2, referenceMix: 0.6 }],
    ['ppo', { numIterations: 2, referenceSyncSteps: 3 }],
    ['raft', { numIterations: 2, minibatches: 2, numGenerations: 3, rewardThreshold: 0.35 }],
  ])('matches the uninterrupted run, byte for byte: %s %o', async (verb, own) => {
    const train = trainers[verb]!;
    const shape = { ...own, maxSteps: 7, saveSteps: 2, evalData: [data], evalSteps: 4 } as Common;
    const whole = optionsOf(shape);
    expect(await train(whole)).toMatchObject({ step: 7, interrupted: false });
    const broken = optionsOf(shape);
    for (const [attempt, after] of [0, 1, 3, 5].entries()) {
      const result = await train({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
    }
    const result = await train({ ...broken, resume: true });
    expectSameRun(result.path, whole.output);
    expect(samplesOf(result.path)).toEqual(samplesOf(whole.output));
  });

  it("keeps the reward's running statistics", async () => {
    const spec = inside('spec.yaml');
    writeFileSync(
      spec,
      `rewards:\n  - {type: function, name: short, module: short.mjs, normalise: running}\n  - {type: length, name: length, max: 6}\nconstraints:\n  - {reward: length, at_least: 0.9}\n`,
    );
    const shape = { reward: spec, maxSteps: 6, numIterations: 2, saveSteps: 3 };
    const whole = optionsOf(shape);
    await trainPpo(whole);
    const multipliers = metricsOf(whole.output).map((row) => row['constraints/length/multiplier']!);
    expect(multipliers[0]).toBeGreaterThan(0);
    expect(multipliers.at(-1)).toBeGreaterThan(multipliers[0]!);
    // Once per batch.
    expect(multipliers[1]).toBe(multipliers[0]);
    const broken = optionsOf(shape);
    await trainPpo(broken, stopping(3));
    await trainPpo({ ...broken, resume: true });
    expectSameRun(broken.output, whole.output);
  });

  it('is refused with another reward, or warns if that is accepted', async () => {
    const own = inside('own.mjs');
    writeFileSync(own, 'export default () => 1;\n');
    const options = optionsOf({ reward: own, saveSteps: 1 });
    await trainPpo(options, stopping(1));
    writeFileSync(own, 'export default () => 2;\n');
    await expect(trainPpo({ ...options, resume: true })).rejects.toThrow(
      /--reward .*own\.mjs has changed .* pass --accept-changed-reward$/,
    );
    const notices: string[] = [];
    const accepted = { ...options, resume: true, acceptChangedReward: true };
    const onEvent: RunHooks['onEvent'] = (event) =>
      void (event.type === 'notice' && notices.push(event.text));
    expect(await trainPpo(accepted, { onEvent })).toMatchObject({ step: 4 });
    expect(notices.filter((text) => text.includes('own.mjs has changed'))).toHaveLength(1);
  });
});

describe('roles on one base', () => {
  it('serve a reward adapter too, with the same scores as on a separate base', async () => {
    const pairs = writeRowsFile(folder, tinyRows(6));
    const trained = await trainReward({
      ...{ model: inside('model'), data: [pairs], output: inside('reward-run'), maxSteps: 2 },
      ...{ lora: true, loraRank: 4, precision: 'fp32', learningRate: 1e-2, threads: 1, seed: 3 },
    });
    const peaks: number[] = [];
    const watching: RunHooks = {
      onEvent: ({ type }) => void (type === 'start' && peaks.push(memory().bytes)),
    };
    const shape = { evalData: [data], reward: trained.final, criticFrom: trained.final };
    const shared = await trainPpo(optionsOf(shape), watching);
    const copy = inside('copy-of-model');
    writeTinyChatModel(copy);
    const spec = inside('model-spec.yaml');
    writeFileSync(spec, `type: model\npath: ${trained.final}\nbase: ${copy}\n`);
    const separate = await trainPpo(optionsOf({ ...shape, reward: spec }), watching);
    // The same scores, and so the same run, with one base fewer in memory.
    expect(metricsOf(shared.path)).toEqual(metricsOf(separate.path));
    expect(peaks[1]! - peaks[0]!).toBeGreaterThan(50_000);
    const [first] = metricsOf(shared.path).filter(({ loss }) => loss !== undefined);
    expect(first!['ppo/mean_value']).not.toBe(0);
    // Reward and critic have one head each; the reward's is not trained.
    expect(existsSync(join(shared.final, 'reward.json'))).toBe(false);
  });

  it('with --adapter the reference is the starting policy', async () => {
    const tuned = await fineTune(
      {
        ...{
          model: inside('model'),
          data: [inside('sft.jsonl')],
          output: inside('sft'),
          lora: true,
        },
        ...{ maxSteps: 3, learningRate: 3e-2, precision: 'fp32', threads: 1, loraRank: 4 },
      },
      {},
    ).catch((error) => {
      throw error;
    });
    const { path } = await trainRloo(optionsOf({ adapter: tuned.final }) as never);
    const steps = metricsOf(path);
    expect(steps[0]).toMatchObject({ 'objective/kl': 0, 'val/ratio': 1 });
    expect(steps.at(-1)!['objective/kl']).not.toBe(0);
  });

  it('without LoRA and a reference, the whole model is trained', async () => {
    const { final } = await trainGrpo(optionsOf({ lora: false, learningRate: 1e-3 }) as never);
    expect(existsSync(join(final, 'model.safetensors'))).toBe(true);
  });
});

describe('invalid options and data', () => {
  it.each([
    ['rloo', { numGenerations: 1 }, /numGenerations: .*at least 2/s],
    ['grpo', { numGenerations: 1 }, /numGenerations: .*at least 2/s],
    ['online-dpo', { numGenerations: 1 }, /numGenerations: .*at least 2/s],
    ['online-dpo', { lora: false }, /lora: .*lora: false/s],
    ['online-dpo', { referenceMix: 0.5 }, /referenceMix: .*referenceSyncSteps/s],
    ['grpo', { referenceSyncSteps: 2, beta: 0 }, /referenceSyncSteps: .*beta 0/s],
    ['raft', { keep: 9 }, /keep: .*numGenerations \(8\), found 9/s],
    ['raft', { keep: null }, /keep: .*numGenerations.*rewardThreshold/s],
    ['raft', { lora: false, beta: 0.1 }, /beta: .*lora: false.*beta 0/s],
    ['remax', { rewardScale: 'running' }, /rewardScale: .*reward/s],
    ['grpo', { lora: false, beta: 0.1 }, /beta: .*lora: false.*beta 0/s],
    ['ppo', { lora: false, beta: 0 }, /lora: .*keel ppo .*lora: false/s],
    ['grpo', { beta: 0.1, klEstimator: 'k1' }, /klEstimator: .*klCorrection/s],
    ['ppo', { klController: 'adaptive', beta: 0 }, /klController: .*beta/s],
    ['ppo', { maxNewTokens: 1024 }, /maxNewTokens: .*maxLength/s],
    ['ppo', { minibatches: 9 }, /9 minibatches, but a rollout batch has at most 4 answers/],
    ['online-dpo', { minibatches: 5, numGenerations: 4 }, /at most 4 pairs \(one per prompt\)/],
    ['raft', { minibatches: 5 }, /at most 4 answers/],
    ['reinforce', { batchSize: 1 }, /batchSize: .*at least 2 .*numGenerations/s],
    ['ppo', { critic: 'shared', criticWarmup: 1 }, /criticWarmup: .*critic adapter/s],
    ['ppo', { reward: 'nothing' }, /--reward nothing: there is no such file/],
    ['ppo', { criticFrom: 'nowhere' }, /nowhere/],
  ])('%s %o', async (verb, own, message) => {
    await expect(trainers[verb]!(optionsOf(own as Common))).rejects.toThrow(message);
  });

  it('counts prompts that leave no room', async () => {
    const notices: string[] = [];
    await trainRloo(optionsOf({ maxLength: 40, maxNewTokens: 20, maxSteps: 1 }) as never, {
      onEvent: (event) => void (event.type === 'notice' && notices.push(event.text)),
    });
    expect(notices).toContainEqual(
      expect.stringMatching(/\d of 6 rows of --data .*--max-new-tokens 20/),
    );
  });
});
