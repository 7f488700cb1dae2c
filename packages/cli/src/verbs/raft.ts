import { type RaftOptions, runRaft } from '@keel/align';
import { runVerb } from '../training/run-verb.ts';

export const run = (options: RaftOptions): Promise<number> => runVerb('raft', options, runRaft);
