import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

type Metrics = Record<string, number>;

interface Golden {
  config: {
    per_device_train_batch_size: number;
    gradient_accumulation_steps?: number;
    max_steps: number;
    learning_rate: number;
    lr_scheduler_type: string;
    beta: number;
    loss_type: string[];
    max_length: number;
  };
  steps: Metrics[];
}

/** What a metric may differ by: `absolute` + `relative` of the expected value. */
type Tolerance = { absolute?: number; relative?: number };

/** Trains as the golden file's configuration says and compares every step. */
async function compare(
  folder: string,
  extra: readonly string[],
  tolerances: Readonly<Record<string, Tolerance>>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const golden: Golden = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const { config } = golden;
  const size = config.per_device_train_batch_size;
  using runs = new TemporaryFolder();
  const options = {
    data: join(folder, 'train.jsonl'),
    output: runs.file('run'),
    'batch-size': size * (config.gradient_accumulation_steps ?? 1),
    'micro-batch-size': size,
    'max-steps': config.max_steps,
    'learning-rate': config.learning_rate,
    scheduler: config.lr_scheduler_type,
    beta: config.beta,
    // TRL's "ipo" averages log-ratios over tokens, which is not the paper's.
    loss: config.loss_type.map((name) => (name === 'ipo' ? 'ipo_averaged' : name)).join(','),
    'max-length': config.max_length,
    precision: 'fp32',
    device: 'cpu',
    'save-steps': 'none',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const ended = await keel(['dpo', ...flags, '--no-shuffle', '--json', ...extra], { env });
  expect(ended.code, ended.stderr).toBe(0);
  const steps = jsonLines(ended.stdout).filter(({ type }) => type === 'step') as Metrics[];
  expect(steps).toHaveLength(golden.steps.length);
  for (const [index, expected] of golden.steps.entries()) {
    for (const [name, { absolute = 0, relative = 0 }] of Object.entries(tolerances)) {
      const difference = Math.abs(steps[index]![name]! - expected[name]!);
      const allowed = absolute + relative * Math.abs(expected[name]!);
      expect(difference, `${name} of step ${index + 1}`).toBeLessThanOrEqual(allowed);
    }
  }
}

const exactly: Tolerance = {};

const tinyTolerances: Record<string, Tolerance> = {
  loss: { relative: 1e-3 },
  grad_norm: { relative: 1e-3 },
  learning_rate: exactly,
  num_tokens: exactly,
  entropy: { relative: 1e-3 },
  'rewards/chosen': { absolute: 1e-4, relative: 1e-3 },
  'rewards/rejected': { absolute: 1e-4, relative: 1e-3 },
  'rewards/margins': { absolute: 1e-4, relative: 1e-3 },
  'rewards/accuracies': exactly,
  'logps/chosen': { relative: 1e-4 },
  'logps/rejected': { relative: 1e-4 },
};

describe.skipIf(!goldenPath('tiny-chat'))('ten steps of TRL on tiny-chat', () => {
  for (const name of ['dpo-sigmoid', 'dpo-conversational-accumulate-2', 'dpo-ipo']) {
    test(name, async () => {
      using cache = new TemporaryFolder();
      const model = ['--model', goldenPath('tiny-chat')!];
      const env = { KEEL_CACHE: cache.path };
      await compare(goldenPath(`trajectories/${name}`)!, model, tinyTolerances, env);
    });
  }
});

describe.skipIf(!goldenPath('smollm2-dpo-lora'))('six steps of TRL and PEFT on SmolLM2', () => {
  test('the default model with LoRA', async () => {
    const folder = goldenPath('smollm2-dpo-lora')!;
    await compare(folder, ['--adapter', join(folder, 'initial-adapter')], {
      loss: { absolute: 2e-3 },
      grad_norm: { relative: 2e-2 },
      learning_rate: exactly,
      num_tokens: exactly,
      entropy: { relative: 2e-3 },
      mean_token_accuracy: { absolute: 1e-6 },
      'rewards/chosen': { absolute: 2e-2 },
      'rewards/rejected': { absolute: 2e-2 },
      'rewards/margins': { absolute: 2e-2 },
      'rewards/accuracies': exactly,
      'logps/chosen': { absolute: 2e-2 },
      'logps/rejected': { absolute: 2e-2 },
    });
  }, 300_000);
});
