// A process of a test: runs trainings one after the other, each with the other processes.
//   node train-together.ts jobs.json ['{"rank": 1, "moment": …}']
import { readFileSync } from 'node:fs';
import { readLaunch, setThreads } from '@keel/torch';
import { resolveOptions } from '../config/resolve-options.ts';
import { methodVerbs } from '../methods/verbs.ts';
import { type KillMoment, killAt } from './kill-moment.ts';

export interface Job {
  verb: string;
  /** Options by their names in TypeScript. */
  flags: Record<string, unknown>;
}

setThreads(1);
if (process.argv[3] !== undefined) {
  const { rank, moment } = JSON.parse(process.argv[3]) as { rank: number; moment: KillMoment };
  if (rank === (readLaunch()?.rank ?? 0)) killAt(moment);
}
const jobs = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job[];
for (const { verb, flags } of jobs) {
  const { definition, run } = methodVerbs.find(({ name }) => name === verb)!;
  const train = await run();
  await train(resolveOptions(definition, { flags }) as never, {});
}
