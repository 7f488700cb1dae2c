import { type ReinforceOptions, runReinforce } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: ReinforceOptions): Promise<number> =>
  runVerb('reinforce', options, runReinforce);
