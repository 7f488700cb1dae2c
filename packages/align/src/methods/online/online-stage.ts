// Recipe stages of methods that sample.
import type { OtherPasses } from '../registration/method-verb.ts';

/**
 * Shared by verbs that sample. Sampling takes about as long as two passes, because weights are read
 * for a few tokens at a time; then come log-probabilities, the reward, and the reference if there
 * is one. A critic that is an adapter trains like the policy.
 */
export const onlineStage = {
  gives: 'language model',
  rows: 'prompt',
  otherPasses: (options: {
    beta: number;
    numIterations?: number;
    critic?: 'adapter' | 'shared';
  }): OtherPasses => ({
    always: options.beta > 0 ? 5 : 4,
    trained: (options.numIterations ?? 1) * (options.critic === 'adapter' ? 2 : 1),
  }),
} as const;
