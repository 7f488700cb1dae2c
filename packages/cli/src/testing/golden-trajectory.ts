import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from './command-line.ts';

type Metrics = Record<string, number>;

/** The parts of a golden configuration that every trainer has, by TRL's names. */
export interface GoldenConfig {
  per_device_train_batch_size: number;
  gradient_accumulation_steps?: number;
  max_steps: number;
  learning_rate: number;
  lr_scheduler_type: string;
  warmup_steps?: number;
  max_length: number;
}

/** How much a metric may differ: `absolute` + `relative` of the expected value. */
export type Tolerance = { absolute?: number; relative?: number };

export const exactly: Tolerance = {};

/** How to train a trajectory again. */
export interface Replay<Config> {
  verb: string;
  /** Flags that only this verb has. */
  flags(config: Config): Readonly<Record<string, string | number>>;
  /** Further words of the command line, not from the configuration. */
  extra?: readonly string[];
  tolerances: Readonly<Record<string, Tolerance>>;
  env?: NodeJS.ProcessEnv;
}

/** Trains with the configuration in a golden trajectory's folder and compares every step. */
export async function replay<Config extends GoldenConfig>(
  folder: string,
  { verb, flags, extra = [], tolerances, env = {} }: Replay<Config>,
): Promise<void> {
  const golden = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    config: Config;
    steps: Metrics[];
  };
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
    'warmup-steps': config.warmup_steps ?? 0,
    'max-length': config.max_length,
    precision: 'fp32',
    device: 'cpu',
    'save-steps': 'none',
    ...flags(config),
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const ended = await keel([verb, ...words, '--no-shuffle', '--json', ...extra], { env });
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
