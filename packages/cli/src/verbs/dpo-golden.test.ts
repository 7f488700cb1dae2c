import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { describe, test } from 'vitest';
import { TemporaryFolder } from '../testing/command-line.ts';
import {
  exactly,
  type GoldenConfig,
  type Replay,
  replay,
  type Tolerance,
} from '../testing/golden-trajectory.ts';

interface DpoConfig extends GoldenConfig {
  beta: number;
  loss_type: string[];
}

const dpo: Pick<Replay<DpoConfig>, 'verb' | 'flags'> = {
  verb: 'dpo',
  flags: ({ beta, loss_type }) => ({
    beta,
    // TRL's "ipo" averages log-ratios over tokens, which is not the paper's.
    loss: loss_type.map((name) => (name === 'ipo' ? 'ipo_averaged' : name)).join(','),
  }),
};

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

describe('ten steps of TRL on tiny-chat', () => {
  for (const name of ['dpo-sigmoid', 'dpo-conversational-accumulate-2', 'dpo-ipo']) {
    test(name, async () => {
      using cache = new TemporaryFolder();
      await replay(goldenPath(`trajectories/${name}`), {
        ...dpo,
        extra: ['--model', goldenPath('tiny-chat')],
        tolerances: tinyTolerances,
        env: { KEEL_CACHE: cache.path },
      });
    });
  }
});

describe('six steps of TRL and PEFT on SmolLM2', () => {
  test('the default model with LoRA', async () => {
    const folder = goldenPath('smollm2-dpo-lora');
    const tolerances = {
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
    };
    await replay(folder, {
      ...dpo,
      extra: ['--adapter', join(folder, 'initial-adapter')],
      tolerances,
    });
  }, 300_000);
});
