// Measures how the online stages of a recipe change the reward on held-out prompts, over several
// seeds, with intervals.
//   node benchmarks/online-rise.ts --recipe recipes/online.yaml [--seeds 1,2,3]
//     [--output runs/online-rise] [--samples 3]
// Every seed runs the whole recipe in its own folder; run the command again to resume.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readRecipe, runRecipe } from '@keel/align';
import {
  bootstrapInterval,
  type HeldOutChange,
  readHeldOutChange,
  resamplingRandom,
  rewardRise,
  stageFolder,
} from '@keel/align/internal';
import { studentInterval } from '@keel/statistics';
import { jobVerbs } from '../packages/cli/src/verbs/job-stages.ts';

const { values } = parseArgs({
  options: {
    recipe: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    output: { type: 'string', default: 'runs/online-rise' },
    samples: { type: 'string', default: '3' },
  },
});
if (values.recipe === undefined) throw new Error('--recipe is missing');

/** Writes the recipe with another seed and output folder. */
function seeded(seed: number): string {
  const text = readFileSync(values.recipe!, 'utf8');
  const line = /^( +seed:).*$/m;
  if (!line.test(text)) throw new Error(`${values.recipe}: its defaults contain no seed`);
  mkdirSync(values.output, { recursive: true });
  const path = join(values.output, `seed-${seed}-${basename(values.recipe!)}`);
  writeFileSync(path, text.replace(line, `$1 ${seed}`));
  return path;
}

const random = resamplingRandom(1);

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(2)}`;
const range = ([low, high]: readonly [number, number]): string =>
  `${signed(low)} to ${signed(high)}`;

/** By stage, one change per seed. */
const changes = new Map<string, { seed: number; verb: string; change: HeldOutChange }[]>();
const times = new Map<string, number[]>();
for (const seed of values.seeds.split(',').map(Number)) {
  const output = join(values.output, `seed-${seed}`);
  const recipe = readRecipe(seeded(seed), { output, jobs: jobVerbs });
  await runRecipe(recipe, {
    onEvent: (event) => {
      if (event.type === 'ended') {
        const { name } = event.stage;
        times.set(name, [...(times.get(name) ?? []), event.seconds]);
        process.stderr.write(`seed ${seed}, ${name}: ${event.seconds.toFixed(0)} s\n`);
      }
    },
  });
  for (const { name, verb } of recipe.stages) {
    const change = readHeldOutChange(join(stageFolder(recipe.output, name), 'samples.jsonl'));
    if (change === null) continue;
    changes.set(name, [...(changes.get(name) ?? []), { seed, verb, change }]);
  }
}

const out = (text: string): void => void process.stdout.write(`${text}\n`);
out(
  '| stage | seed | reward before | after | rise (95%) | KL (nats per answer) | length | ended |',
);
out('|---|---|---|---|---|---|---|---|');
for (const [stage, runs] of changes) {
  for (const { seed, change } of runs) {
    const { before, after, difference, interval } = rewardRise(change);
    const cells = [
      ...[stage, seed, before.toFixed(2), after.toFixed(2)],
      `${signed(difference)} (${range(interval)})`,
      mean(change.after.map(({ kl }) => kl ?? Number.NaN)).toFixed(1),
      `${mean(change.before.map(({ tokens }) => tokens)).toFixed(0)} to ${mean(change.after.map(({ tokens }) => tokens)).toFixed(0)}`,
      `${(100 * mean(change.before.map(({ ended }) => Number(ended)))).toFixed(0)}% to ${(100 * mean(change.after.map(({ ended }) => Number(ended)))).toFixed(0)}%`,
    ];
    out(`| ${cells.join(' | ')} |`);
  }
  out(`| ${stage} | all | | | ${overSeeds(runs.map(({ change }) => change))} | | | |`);
}

/**
 * Mean rise over seeds: Student's interval over seeds, and a bootstrap over seeds and over prompts
 * within each.
 */
function overSeeds(of: readonly HeldOutChange[]): string {
  const rises = of.map((change) => rewardRise(change).difference);
  const centre = mean(rises);
  if (rises.length < 2) return signed(centre);
  const student = studentInterval(rises)!;
  const ends = bootstrapInterval(rises.length, (draws) => {
    let sum = 0;
    for (const draw of draws) {
      const { before, after } = of[draw]!;
      let total = 0;
      for (let count = 0; count < before.length; count++) {
        const at = Math.floor(random() * before.length);
        total += after[at]!.reward - before[at]!.reward;
      }
      sum += total / before.length;
    }
    return sum / draws.length;
  });
  return `${signed(centre)} (over seeds ${range(student)}; over seeds and prompts ${range(ends)})`;
}

out('');
for (const [stage, runs] of changes) {
  const { change } = runs[0]!;
  out(`${stage}, seed ${runs[0]!.seed}, the first held-out prompts:\n`);
  for (let at = 0; at < Math.min(Number(values.samples), change.before.length); at++) {
    const prompt = change.before[at]!.prompt;
    const asked = typeof prompt === 'string' ? prompt : prompt.at(-1)!.content;
    const answer = (line: HeldOutChange['before'][number]): string =>
      `(${line.reward.toFixed(2)}) ${line.completion.replaceAll('\n', ' ')}`;
    out(
      `> ${asked}\n> - before ${answer(change.before[at]!)}\n> - after ${answer(change.after[at]!)}\n`,
    );
  }
}
for (const [stage, seconds] of times) out(`${stage}: ${mean(seconds).toFixed(0)} s per seed`);
