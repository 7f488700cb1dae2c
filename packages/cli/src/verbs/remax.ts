import { type RemaxOptions, runRemax } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: RemaxOptions): Promise<number> => runVerb('remax', options, runRemax);
