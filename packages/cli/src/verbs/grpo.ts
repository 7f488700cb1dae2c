import { type GrpoOptions, runGrpo } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: GrpoOptions): Promise<number> => runVerb('grpo', options, runGrpo);
