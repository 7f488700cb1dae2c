import { goldenPath } from '@keel/torch/testing';
import { describe, test } from 'vitest';
import { exactly, type GoldenConfig, replay } from '../testing/golden-trajectory.ts';

interface KtoConfig extends GoldenConfig {
  beta: number;
  desirable_weight: number;
  undesirable_weight: number;
}

describe('ten steps of TRL on tiny-chat', () => {
  test('kto', async () => {
    const rewards = { absolute: 1e-4, relative: 1e-3 };
    await replay<KtoConfig>(goldenPath('trajectories/kto'), {
      verb: 'kto',
      flags: ({ beta, desirable_weight, undesirable_weight }) => ({
        beta,
        'desirable-weight': desirable_weight,
        'undesirable-weight': undesirable_weight,
        'kl-estimate': 'rotated',
      }),
      extra: ['--model', goldenPath('tiny-chat')],
      tolerances: {
        loss: { relative: 1e-3 },
        grad_norm: { relative: 1e-3 },
        learning_rate: exactly,
        num_tokens: exactly,
        kl: { absolute: 1e-4, relative: 1e-3 },
        entropy: { relative: 1e-3 },
        'rewards/chosen': rewards,
        'rewards/rejected': rewards,
        'rewards/margins': rewards,
        'logps/chosen': { relative: 1e-4 },
        'logps/rejected': { relative: 1e-4 },
      },
    });
  });
});
