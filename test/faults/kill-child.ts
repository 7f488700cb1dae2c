// A run in a separate process, to be killed: node kill-child.ts '<ChildTask as JSON>'. Prints its
// number of file changes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AlignPairsOptions,
  alignPairs,
  readRecipe,
  runRecipe,
  type TrainPpoOptions,
  trainPpo,
} from '@keel/align';
import { type KillPlace, watchFiles } from './file-operations.ts';

export type Job =
  | { kind: 'dpo'; options: AlignPairsOptions }
  | { kind: 'ppo'; options: TrainPpoOptions }
  /** The recipe's file and its folder. */
  | { kind: 'recipe'; options: { recipe: string; output: string } };

export interface ChildTask {
  job: Job;
  /** Changes to files below this folder count. */
  root: string;
  place: KillPlace | null;
}

/** Acts like a user: `--resume` if there is a run, otherwise the same command again. */
async function run({ kind, options }: Job): Promise<void> {
  const resume = existsSync(join(options.output, 'config.yaml'));
  if (kind === 'dpo') await alignPairs({ ...options, resume });
  else if (kind === 'ppo') await trainPpo({ ...options, resume });
  else await runRecipe(readRecipe(options.recipe, { output: options.output }));
}

const { job, root, place } = JSON.parse(process.argv[2]!) as ChildTask;
const changes = watchFiles(root, place);
await run(job);
console.log(JSON.stringify({ changes: changes() }));
