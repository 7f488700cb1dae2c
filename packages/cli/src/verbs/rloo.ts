import { type RlooOptions, runRloo } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: RlooOptions): Promise<number> => runVerb('rloo', options, runRloo);
