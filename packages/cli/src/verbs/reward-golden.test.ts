import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { describe, test } from 'vitest';
import { TemporaryFolder } from '../testing/command-line.ts';
import {
  exactly,
  type GoldenConfig,
  replay,
  type Tolerance,
} from '../testing/golden-trajectory.ts';

interface RewardConfig extends GoldenConfig {
  center_rewards_coefficient: number;
}

const tolerances: Record<string, Tolerance> = {
  loss: { relative: 1e-3 },
  grad_norm: { relative: 1e-3 },
  learning_rate: exactly,
  num_tokens: exactly,
  accuracy: exactly,
  margin: { absolute: 1e-4, relative: 1e-3 },
  min_reward: { absolute: 1e-4, relative: 1e-3 },
  mean_reward: { absolute: 1e-4, relative: 1e-3 },
  max_reward: { absolute: 1e-4, relative: 1e-3 },
};

describe("ten steps of TRL's RewardTrainer on tiny-chat", () => {
  test('reward-bradley-terry', async () => {
    using cache = new TemporaryFolder();
    const folder = goldenPath('trajectories/reward-bradley-terry');
    await replay<RewardConfig>(folder, {
      verb: 'reward',
      flags: ({ center_rewards_coefficient }) => ({
        'center-rewards-coefficient': center_rewards_coefficient,
        head: join(folder, 'score_weight.json'),
        // Its pad token ends its sequences too, so that transformers reads the token before.
        'read-at': 'last_not_pad',
      }),
      extra: ['--model', goldenPath('tiny-chat')],
      tolerances,
      env: { KEEL_CACHE: cache.path },
    });
  });
});
