// Short runs of every method on the tiny chat model, and the differences between two of them: the
// same run on two devices must have the same numbers.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@keel/model';
import { fromBytes, tidy } from '@keel/torch';
import { programOptions } from '../config/program-options.ts';
import { writePrompts, writeRewardModule } from '../methods/online/fixtures/prompt-files.ts';
import { methodVerbs } from '../methods/verbs.ts';
import { MetricsLog } from '../runs/metrics.ts';
import type { RunHooks } from '../training/run-training.ts';
import { tinyRows, writeTinyChatModel } from './tiny-chat-model.ts';
import { tinyJudged, writeJudged } from './tiny-judged.ts';
import { tinyRun } from './tiny-run.ts';

/** A run of a method, as its verb and options. */
export interface MethodRun {
  name: string;
  verb: string;
  options: Record<string, unknown>;
}

/** What a run left. */
export interface RunNumbers {
  /** Numbers of each row of its metrics, without those of the clock. */
  rows: Record<string, number>[];
  /** The trained weights; none of a run that was stopped. */
  weights: Map<string, number[]>;
}

const lora = { lora: true, loraRank: 4 };

/** Writes a model, rows and a reward into the folder. @returns the runs that use them */
export function writeMethodRuns(folder: string): MethodRun[] {
  const write = (name: string, rows: readonly object[]): string => {
    const path = join(folder, `${name}.jsonl`);
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return path;
  };
  writeTinyChatModel(join(folder, 'model'));
  const rows = tinyRows(8);
  const reward = writeRewardModule(folder);
  const prompts = { data: [writePrompts(folder)], reward, maxNewTokens: 6, ...lora };
  const both = (path: string) => ({ data: [path], evalData: [path] });
  const pairs = rows.map(({ extra: _, ...row }, at) => ({
    ...row,
    ...{ score_chosen: 2 + (at % 3), score_rejected: 1 },
  }));
  const files = {
    examples: both(write('examples', rows.map(answer))),
    pairs: both(write('pairs', pairs)),
    thumbs: both(
      write(
        'thumbs',
        rows.map((row, at) => ({ ...answer(row), label: at % 2 === 0 })),
      ),
    ),
    judged: both(writeJudged(folder, tinyJudged(8))),
    rankings: both(
      write(
        'rankings',
        rows.map(({ prompt, chosen, rejected }) => ({
          prompt,
          completions: [rejected, chosen],
          scores: [1, 2],
        })),
      ),
    ),
  };
  const offline: [string, string, object][] = [
    ['sft', 'sft', files.examples],
    ['dpo', 'dpo', files.pairs],
    ['dpo on rankings', 'dpo', { ...files.rankings, loss: ['plackett_luce'] }],
    ['kto', 'kto', files.thumbs],
    ['reward', 'reward', files.judged],
  ];
  const dropped = { ...lora, loraDropout: 0.1, gradientCheckpointing: 'on' };
  return [
    ...offline.flatMap(([name, verb, options]) => [
      { name: `${name}, LoRA`, verb, options: { ...options, ...lora } },
      { name: `${name}, full`, verb, options: { ...options } },
      { name: `${name}, LoRA, recomputed`, verb, options: { ...options, ...dropped } },
    ]),
    ...['ppo', 'grpo', 'rloo', 'reinforce', 'remax', 'online-dpo', 'd2po', 'raft'].map((verb) => ({
      ...{ name: verb, verb, options: prompts },
    })),
  ];
}

/** A run of `keel dpo` with this objective. */
export function objectiveRun(runs: readonly MethodRun[], loss: string): MethodRun {
  const { options } = runs.find(({ name }) => name === 'dpo, LoRA')!;
  const { evalData: _, ...others } = options;
  return { name: loss, verb: 'dpo', options: { ...others, loss: [loss], maxSteps: 1 } };
}

const answer = ({ prompt, chosen }: { prompt: unknown; chosen: unknown }) => ({
  prompt,
  completion: chosen,
});

/**
 * Runs a method for two steps.
 * @param folder that of {@link writeMethodRuns}
 * @param place where the run's results and its cache are written
 * @param device any, whether or not `--device` takes it
 */
export async function trainOn(
  device: string,
  { verb: name, options: own }: MethodRun,
  { folder, place, hooks = {} }: { folder: string; place: string; hooks?: RunHooks },
): Promise<RunNumbers> {
  const verb = methodVerbs.find((one) => one.name === name)!;
  const output = join(place, 'run');
  const common = { ...tinyRun, maxSteps: 2, model: join(folder, 'model'), output };
  const options = programOptions(verb.definition, { ...common, ...own });
  const run = await verb.run();
  const before = process.env.KEEL_CACHE;
  // Scores of the reference would come from the cache of another device.
  process.env.KEEL_CACHE = join(place, 'cache');
  try {
    await run({ ...options, device }, hooks);
  } finally {
    if (before === undefined) delete process.env.KEEL_CACHE;
    else process.env.KEEL_CACHE = before;
  }
  return { rows: rowsOf(output), weights: weightsOf(join(output, 'final')) };
}

function rowsOf(run: string): Record<string, number>[] {
  const ofClock = /^(tokens_per_second|mfu|time\/.*)$/;
  return MetricsLog.read(join(run, 'metrics.jsonl')).map((row) => {
    const numbers = Object.entries(row).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && !ofClock.test(entry[0]),
    );
    return Object.fromEntries(numbers);
  });
}

function weightsOf(folder: string): Map<string, number[]> {
  const names = ['adapter_model.safetensors', 'model.safetensors'];
  const path = names.map((name) => join(folder, name)).find((one) => existsSync(one));
  if (path === undefined) return new Map();
  using file = openSafetensors(path);
  const values = (name: string): number[] =>
    tidy(() => fromBytes(file.read(name), 'float32', file.info(name).shape).toArray());
  return new Map(file.names().map((name) => [name, values(name)]));
}

/** The largest difference, relative to numbers above 1, and where it is. */
export interface Difference {
  difference: number;
  where: string;
}

/**
 * The largest differences of two runs, in their metrics and in their weights. AdamW divides by the
 * size of a gradient: the weights of tiny gradients differ more than what they were computed from.
 */
export function largestDifferences(
  found: RunNumbers,
  expected: RunNumbers,
): { metrics: Difference; weights: Difference } {
  const metrics = { difference: 0, where: '' };
  const weights = { difference: 0, where: '' };
  const compare = (into: Difference, where: string, a: number | undefined, b: number): void => {
    if (Object.is(a, b)) return;
    const difference = Math.abs((a ?? Number.NaN) - b) / Math.max(1, Math.abs(b));
    // What is missing, or is not a number, differs most.
    const size = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    if (size > into.difference) Object.assign(into, { difference: size, where });
  };
  compare(metrics, 'rows of metrics', found.rows.length, expected.rows.length);
  expected.rows.forEach((row, at) => {
    for (const [name, value] of Object.entries(row)) {
      compare(metrics, `${name} of row ${at}`, found.rows[at]?.[name], value);
    }
  });
  for (const [name, values] of expected.weights) {
    values.forEach((value, at) => {
      compare(weights, name, found.weights.get(name)?.[at], value);
    });
  }
  return { metrics, weights };
}
