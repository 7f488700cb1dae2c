import { loadFunctionReward, type Reward } from '@keel/align/rewards';
import { z } from 'zod';
import type { Check } from './check.ts';

export const functionSchema = z.strictObject({
  type: z.literal('function'),
  /** `module.ts` or `module.ts#name`, relative to the suite. */
  module: z.string().min(1),
  /** Most seconds of a call. */
  timeout: z.number().positive().nullable().default(30),
});

/**
 * A check by a reward function (see docs/guide/rewards.md): it gets the row's right answer as
 * `extra.target`, and returns a score from 0 to 1, or null for an answer that it does not judge.
 * With a time limit it runs in another thread.
 * @throws Error if the module does not load, or does not export the function
 */
export async function functionCheck(
  { module, timeout }: z.output<typeof functionSchema>,
  folder: string,
): Promise<Check> {
  const reward = await loadFunctionReward(module, folder, { concurrency: 16, timeout });
  return rewardCheck(reward);
}

export const rewardCheck = (reward: Reward): Check => ({
  name: reward.name,
  labels: [],
  admit: () => {},
  async check(completion, { prompt, rendering, target, extra }, signal) {
    const input = {
      prompt,
      completion,
      extra: { ...extra, ...(target !== undefined && { target }) },
    };
    const [outcome] = await reward.score([{ ...input, ...(rendering && { rendering }) }], signal);
    const { score, note, aspects = {} } = outcome!;
    if (score !== null && !(score >= 0 && score <= 1)) {
      throw new Error(`${reward.name} returned ${score}; a check returns a score from 0 to 1`);
    }
    const measures = Object.entries(aspects).map(([name, sum]) => [name, { sum, count: 1 }]);
    return {
      score,
      ...(measures.length > 0 && { measures: Object.fromEntries(measures) }),
      ...(note !== undefined && { note }),
    };
  },
  [Symbol.asyncDispose]: () => reward[Symbol.asyncDispose](),
});
