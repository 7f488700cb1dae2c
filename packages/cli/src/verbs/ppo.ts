import { type PpoOptions, runPpo } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: PpoOptions): Promise<number> => runVerb('ppo', options, runPpo);
