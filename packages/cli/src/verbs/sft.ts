import { runSft, type SftOptions } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: SftOptions): Promise<number> => runVerb('sft', options, runSft);
