import { type DpoOptions, runDpo } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: DpoOptions): Promise<number> => runVerb('dpo', options, runDpo);
