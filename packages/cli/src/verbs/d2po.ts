import { type D2poOptions, runD2po } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: D2poOptions): Promise<number> => runVerb('d2po', options, runD2po);
