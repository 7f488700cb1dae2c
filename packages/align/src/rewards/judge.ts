import { scoreChecked } from './checked-outcomes.ts';
import type { Reward } from './reward.ts';

/** Rates answers: a model (model-judge.ts), or a custom program. */
export type Judge = Pick<Reward, 'name' | 'score'>;

/** A judge as a reward, for a composition. */
export const judgeReward = (judge: Judge): Reward => ({
  name: judge.name,
  score: (inputs, signal) => scoreChecked(judge, inputs, signal),
  async [Symbol.asyncDispose]() {},
});
