import { type OnlineDpoOptions, runOnlineDpo } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: OnlineDpoOptions): Promise<number> =>
  runVerb('online-dpo', options, runOnlineDpo);
