import { type KtoOptions, runKto } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: KtoOptions): Promise<number> => runVerb('kto', options, runKto);
