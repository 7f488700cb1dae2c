// Measures learning rates for LoRA on the bundled data: what the defaults of --learning-rate rest
// on. Prints Markdown tables.
//   node benchmarks/default-rates.ts methods [--only sft,dpo,kto,reward,grpo] [--rates 1e-5,1e-4]
//   node benchmarks/default-rates.ts objectives [--only simpo,orpo] [--rates 1e-4,1e-5]
//     [--steps 20] [--batch-size 8] [--held-out 68] [--threads n] [--output runs/default-rates]
// Every run has its own folder; run the command again to resume.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  alignPairs,
  alignUnpaired,
  fineTune,
  type RunResult,
  trainGrpo,
  trainReward,
} from '@keel/align';
import { pairedObjectiveNames } from '@keel/align/config';
import { wilsonInterval } from '@keel/align/internal';
import { jsonLines, pairsFrom } from './random-pairs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    rates: { type: 'string' },
    steps: { type: 'string', default: '20' },
    'batch-size': { type: 'string', default: '8' },
    'held-out': { type: 'string', default: '68' },
    threads: { type: 'string' },
    output: { type: 'string', default: 'runs/default-rates' },
  },
});

const listed = (text: string | undefined): string[] | undefined => text?.split(',');
const maxSteps = Number(values.steps);
const batchSize = Number(values['batch-size']);
mkdirSync(values.output, { recursive: true });

/** The first `--held-out` rows of a file. */
function heldOut(name: string): string[] {
  const own = join(values.output, `${values['held-out']}-${name}`);
  const rows = pairsFrom(join('examples/data', name)).slice(0, Number(values['held-out']));
  writeFileSync(own, jsonLines(rows));
  return [own];
}

const pairs = {
  data: ['examples/data/concise-train.jsonl'],
  evalData: heldOut('concise-held-out.jsonl'),
};

type Metrics = Readonly<Record<string, number>>;

/** The first and the last held-out evaluation of a run, and the largest norm of its gradient. */
interface Course {
  before: Metrics;
  after: Metrics;
  gradNorm: number;
  steps: number;
}

function courseOf(folder: string): Course {
  const rows = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): Metrics => JSON.parse(line));
  const evaluations = rows.filter((row) => Object.keys(row).some((key) => key.startsWith('eval_')));
  const norms = rows.flatMap(({ grad_norm: norm }) => norm ?? []);
  const [before, after] = [evaluations[0], evaluations.at(-1)];
  if (before === undefined || after === undefined || before === after) {
    throw new Error(`${folder}: needs an evaluation before the first step and after the last`);
  }
  return { before, after, gradNorm: Math.max(...norms), steps: after.step! };
}

interface Common {
  output: string;
  learningRate: number;
  maxSteps: number;
  lora: true;
  batchSize: number;
  saveSteps: null;
  overwrite: true;
  threads: number | null;
}

/** The course of a run, from its folder if it has finished before. */
async function courseOfRun(
  name: string,
  learningRate: number,
  run: (common: Common) => Promise<RunResult>,
): Promise<Course> {
  const output = join(values.output, `${name}-${learningRate.toExponential()}-${maxSteps}`);
  const threads = values.threads === undefined ? null : Number(values.threads);
  const fixed = { lora: true, batchSize, threads, saveSteps: null, overwrite: true } as const;
  if (!existsSync(join(output, 'final'))) await run({ output, learningRate, maxSteps, ...fixed });
  process.stderr.write(`${output}\n`);
  return courseOf(output);
}

/** The bundled pairs as answers with a label, chosen and rejected in turn. */
function unpairedRows(path: string): string[] {
  const own = join(values.output, `unpaired-${basename(path)}`);
  const rows = pairsFrom(path).flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen, label: true },
    { prompt, completion: rejected, label: false },
  ]);
  writeFileSync(own, jsonLines(rows));
  return [own];
}

/** The bundled pairs with the scores that some objectives read. */
function scoredRows(path: string): string[] {
  const own = join(values.output, `scored-${basename(path)}`);
  writeFileSync(
    own,
    jsonLines(pairsFrom(path).map((row) => ({ ...row, score_chosen: 1, score_rejected: 0 }))),
  );
  return [own];
}

interface Method {
  rates: number[];
  run(common: Common): Promise<RunResult>;
  /** Names of held-out metrics, in the order of the table. */
  shown: string[];
}

const methods: Record<string, Method> = {
  sft: {
    rates: [2e-5, 1e-4, 2e-4, 5e-4],
    run: (common) =>
      fineTune({
        ...common,
        data: ['examples/data/concise-answers-train.jsonl'],
        evalData: heldOut('concise-answers-held-out.jsonl'),
      }),
    shown: ['loss', 'mean_token_accuracy'],
  },
  dpo: {
    rates: [1e-5, 5e-5, 1e-4, 5e-4],
    run: (common) => alignPairs({ ...common, ...pairs }),
    shown: ['loss', 'rewards/accuracies', 'rewards/margins', 'logps/chosen'],
  },
  kto: {
    rates: [1e-5, 5e-5, 1e-4, 5e-4],
    run: (common) =>
      alignUnpaired({
        ...common,
        data: unpairedRows(pairs.data[0]!),
        evalData: unpairedRows(pairs.evalData[0]!),
      }),
    shown: ['loss', 'rewards/margins', 'logps/chosen'],
  },
  reward: {
    rates: [1e-5, 5e-5, 1e-4, 5e-4],
    run: (common) => trainReward({ ...common, ...pairs }),
    shown: ['loss', 'accuracy', 'margin'],
  },
  grpo: {
    rates: [1e-5, 5e-5, 1e-4, 2e-4],
    run: (common) =>
      trainGrpo({
        ...common,
        data: ['examples/data/sums-train.jsonl'],
        evalData: heldOut('sums-held-out.jsonl'),
        reward: 'recipes/rewards/right-number.ts',
        numGenerations: 8,
        samplesInFlight: 64,
        maxNewTokens: 16,
      }),
    shown: ['reward', 'completions/mean_length'],
  },
};

const shares = new Set(['rewards/accuracies', 'accuracy']);
const heldOutPairs = pairsFrom(pairs.evalData[0]!).length;

/** A metric; shares of the held-out pairs come with their 95% interval. */
function cell(metrics: Metrics, name: string): string {
  const value = metrics[`eval_${name}`];
  if (value === undefined) return '';
  if (!shares.has(name)) return value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  const interval = wilsonInterval(value * heldOutPairs, heldOutPairs);
  const [low, high] = interval.map((one) => (100 * one).toFixed(0));
  return `${(100 * value).toFixed(0)}% (${low} to ${high})`;
}

const line = (cells: readonly string[]): void =>
  void process.stdout.write(`| ${cells.join(' | ')} |\n`);

async function tableOf(
  name: string,
  rates: readonly number[],
  { run, shown }: Pick<Method, 'run' | 'shown'>,
): Promise<void> {
  for (const rate of rates) {
    const { before, after, gradNorm } = await courseOfRun(name, rate, run);
    const changes = shown.flatMap((one) => [cell(before, one), cell(after, one)]);
    line([name, rate.toExponential(), ...changes, gradNorm.toFixed(1)]);
  }
}

function head(shown: readonly string[]): void {
  const cells = ['', 'rate', ...shown.flatMap((one) => [`${one} before`, 'after']), 'grad norm'];
  process.stdout.write('\n');
  line(cells);
  line(cells.map(() => '---'));
}

const asked = listed(values.rates)?.map(Number);
if (positionals[0] === 'objectives') {
  const shown = ['loss', 'rewards/accuracies', 'logps/chosen', 'logps/rejected'];
  head(shown);
  for (const loss of listed(values.only) ?? pairedObjectiveNames) {
    const run = (common: Common): Promise<RunResult> =>
      alignPairs({
        ...common,
        loss: [loss],
        data: scoredRows(pairs.data[0]!),
        evalData: scoredRows(pairs.evalData[0]!),
      });
    await tableOf(loss, asked ?? [1e-4], { run, shown });
  }
} else if (positionals[0] === 'methods') {
  for (const name of listed(values.only) ?? Object.keys(methods)) {
    const method = methods[name];
    if (method === undefined) throw new Error(`--only: expected ${Object.keys(methods)}`);
    head(method.shown);
    await tableOf(name, asked ?? method.rates, method);
  }
} else throw new Error('expected "methods" or "objectives"');
