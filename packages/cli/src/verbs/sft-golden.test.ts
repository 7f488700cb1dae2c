import { goldenPath } from '@keel/torch/testing';
import { describe, test } from 'vitest';
import { TemporaryFolder } from '../testing/command-line.ts';
import { exactly, replay, type Tolerance } from '../testing/golden-trajectory.ts';

const tolerances: Record<string, Tolerance> = {
  loss: { relative: 1e-3 },
  grad_norm: { relative: 1e-3 },
  learning_rate: { relative: 1e-12 },
  num_tokens: exactly,
  entropy: { relative: 1e-3 },
  mean_token_accuracy: { absolute: 1e-6 },
};

describe('ten supervised steps of TRL on tiny-chat', () => {
  for (const name of ['sft-completion-only', 'sft-conversational-cosine']) {
    test(name, async () => {
      using cache = new TemporaryFolder();
      await replay(goldenPath(`trajectories/${name}`), {
        verb: 'sft',
        flags: () => ({}),
        extra: ['--model', goldenPath('tiny-chat')],
        tolerances,
        env: { KEEL_CACHE: cache.path },
      });
    });
  }
});
