import { type RewardOptions, runReward } from '@keel/align';
import { runVerb, scoreWith } from '../training/run-verb.ts';

export const run = (options: RewardOptions): Promise<number> =>
  runVerb('reward', options, runReward, scoreWith);
