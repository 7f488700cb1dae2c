// A process of a test: runs trainings one after the other, each with the other processes.
//   node train-together.ts jobs.json ['{"rank": 1, "moment": …}']
import { readFileSync } from 'node:fs';
import { GradientExchange, readLaunch, setThreads } from '@keel/torch';
import { resolveOptions } from '../config/resolve-options.ts';
import { methodVerbs } from '../methods/verbs.ts';
import { type KillMoment, killAt } from './kill-moment.ts';

export interface Job {
  verb: string;
  /** Options by their names in TypeScript. */
  flags: Record<string, unknown>;
  /** Prints the most buckets of gradients of a step that were begun while backward ran. */
  tellsEarly?: boolean;
}

setThreads(1);
if (process.argv[3] !== undefined) {
  const { rank, moment } = JSON.parse(process.argv[3]) as { rank: number; moment: KillMoment };
  if (rank === (readLaunch()?.rank ?? 0)) killAt(moment);
}
const jobs = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job[];
let most = 0;
const { finish } = GradientExchange.prototype;
GradientExchange.prototype.finish = async function () {
  const moved = await finish.call(this);
  most = Math.max(most, this.begunEarly);
  return moved;
};
for (const { verb, flags, tellsEarly = false } of jobs) {
  most = 0;
  const { definition, run } = methodVerbs.find(({ name }) => name === verb)!;
  const train = await run();
  await train(resolveOptions(definition, { flags }) as never, {});
  if (tellsEarly) console.log(`early: ${most}`);
}
