// Which health findings sound runs and deliberately broken ones have.
//   node benchmarks/health.ts [--only dpo,dpo-rate] [--output runs/health] [--threads 2]
// Every run is small (the default model, LoRA, a few steps). Finished ones are not repeated: their
// findings are computed again from their files. Prints a Markdown table, and fails if a run has
// other findings than the table expects.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  alignPairs,
  alignUnpaired,
  fineTune,
  type RunResult,
  trainGrpo,
  trainPpo,
  trainReward,
} from '@keel/align';
import { AnswersLog, HealthMonitor, MetricsLog, replayHealth } from '@keel/align/internal';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    output: { type: 'string', default: 'runs/health' },
    threads: { type: 'string', default: '2' },
  },
});
const { output } = values;
mkdirSync(output, { recursive: true });

type Row = Record<string, unknown>;
const rows = (name: string, count: number): Row[] =>
  readFileSync(`examples/data/${name}.jsonl`, 'utf8')
    .split('\n')
    .slice(0, count)
    .map((line) => JSON.parse(line) as Row);

/** A small file of rows. */
function write(name: string, content: readonly Row[]): string[] {
  const path = join(output, `${name}.jsonl`);
  writeFileSync(path, content.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return [path];
}

const HELD_OUT = 12;
const TRAINING = 48;
const pairs = write('pairs', rows('concise-train', TRAINING));
const heldOutPairs = write('pairs-held-out', rows('concise-held-out', HELD_OUT));
const labelled = (from: readonly Row[]): Row[] =>
  from.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen, label: true },
    { prompt, completion: rejected, label: false },
  ]);
const single = write('single', labelled(rows('concise-train', TRAINING)));
const heldOutSingle = write('single-held-out', labelled(rows('concise-held-out', HELD_OUT)));
const answers = write('answers', rows('concise-answers-train', TRAINING));
const heldOutAnswers = write('answers-held-out', rows('concise-answers-held-out', HELD_OUT));
const sums = write('sums', rows('sums-train', TRAINING));
const heldOutSums = write('sums-held-out', rows('sums-held-out', HELD_OUT));
const constant = join(output, 'constant.ts');
writeFileSync(constant, 'export default () => 1;\n');

const common = {
  ...{ lora: true, batchSize: 4, maxSteps: 12, saveSteps: null, overwrite: true },
  threads: Number(values.threads),
};
const paired = { ...common, data: pairs, evalData: heldOutPairs };
const sampled = {
  ...{ ...common, data: sums, evalData: heldOutSums, reward: 'recipes/rewards/right-number.ts' },
  ...{ batchSize: 4, numGenerations: 4, samplesInFlight: 16, maxNewTokens: 16, beta: 0.01 },
  learningRate: 2e-4,
};

interface Case {
  name: string;
  /** What is special about it. */
  about: string;
  /** Codes that must be found; empty for a sound run, in which none may be. */
  expected: string[];
  run(folder: string): Promise<RunResult>;
}

const dpo = (learningRate: number) => (folder: string) =>
  alignPairs({ ...paired, output: folder, learningRate });
const sft = (learningRate: number) => (folder: string) =>
  fineTune({
    ...{ ...common, data: answers, evalData: heldOutAnswers, output: folder },
    learningRate,
  });
const grpo = (changes: object) => (folder: string) =>
  trainGrpo({ ...sampled, output: folder, ...changes });

const cases: Case[] = [
  { name: 'sft', about: 'rate 2e-4', expected: [], run: sft(2e-4) },
  { name: 'dpo', about: 'rate 1e-4', expected: [], run: dpo(1e-4) },
  {
    name: 'dpo-nll',
    about: 'as the quickstart: sigmoid,chosen_nll, rate 5e-4',
    expected: [],
    run: (folder) =>
      alignPairs({
        ...{ ...paired, output: folder, learningRate: 5e-4, warmupSteps: 3 },
        ...{ loss: ['sigmoid', 'chosen_nll'], lossWeights: [1, 0.5] },
      }),
  },
  {
    name: 'kto',
    about: 'rate 1e-4',
    expected: [],
    run: (folder) =>
      alignUnpaired({
        ...{ ...common, data: single, evalData: heldOutSingle, output: folder },
        ...{ batchSize: 8, learningRate: 1e-4 },
      }),
  },
  {
    name: 'reward',
    about: 'rate 1e-4',
    expected: [],
    run: (folder) => trainReward({ ...paired, output: folder, learningRate: 1e-4 }),
  },
  { name: 'grpo', about: 'sums, rate 2e-4', expected: [], run: grpo({}) },
  {
    name: 'ppo',
    about: 'sums, rate 1e-4',
    expected: [],
    run: (folder) =>
      trainPpo({ ...sampled, output: folder, learningRate: 1e-4, beta: 0.05, numGenerations: 2 }),
  },
  {
    name: 'dpo-rate',
    about: 'DPO at a rate of 1e-2',
    expected: ['chosen-collapse', 'degenerate-answers'],
    run: dpo(1e-2),
  },
  {
    name: 'sft-rate',
    about: 'SFT at a rate of 3e-2',
    expected: ['exploding-loss', 'degenerate-answers'],
    run: sft(3e-2),
  },
  {
    name: 'dpo-still',
    about: 'DPO at a rate of 1e-12',
    expected: ['nothing-learnt'],
    run: dpo(1e-12),
  },
  {
    name: 'grpo-constant',
    about: 'a constant reward',
    expected: ['zero-variance-groups', 'nothing-learnt'],
    run: grpo({ reward: constant }),
  },
  {
    name: 'grpo-cut',
    about: '--max-new-tokens 2',
    expected: ['all-cut-off'],
    run: grpo({ data: pairs, evalData: null, reward: 'length:-1', maxNewTokens: 2, maxSteps: 6 }),
  },
  {
    name: 'grpo-rate',
    about: 'GRPO at a rate of 2e-2, without KL in the loss',
    expected: ['all-cut-off', 'degenerate-answers'],
    run: grpo({ learningRate: 2e-2, beta: 1e-6 }),
  },
];

/** A run's findings, from its files. */
function findingsOf(folder: string) {
  const config = readFileSync(join(folder, 'config.yaml'), 'utf8');
  /** null for an option that the verb lacks, or that is none. */
  const option = (key: string): number | null => {
    const value = Number(new RegExp(`^${key}: (.*)$`, 'm').exec(config)?.[1] ?? Number.NaN);
    return Number.isNaN(value) ? null : value;
  };
  const monitor = new HealthMonitor({
    learningRate: option('learning_rate')!,
    maxGradNorm: option('max_grad_norm'),
    maxKl: option('max_kl'),
  });
  const rows = MetricsLog.read(join(folder, 'metrics.jsonl'));
  replayHealth(monitor, rows, AnswersLog.read(join(folder, 'answers.jsonl')));
  monitor.end();
  return monitor.health.findings;
}

const only = values.only?.split(',');
let wrong = 0;
const lines: string[] = [];
for (const { name, about, expected, run } of cases) {
  if (only !== undefined && !only.includes(name)) continue;
  const record = resolve(output, `${name}.json`);
  if (!existsSync(record)) {
    const { step } = await run(join(output, name));
    writeFileSync(record, JSON.stringify({ step }));
    process.stderr.write(`${name}: ${step} steps\n`);
  }
  const { step } = JSON.parse(readFileSync(record, 'utf8')) as { step: number };
  const findings = findingsOf(join(output, name));
  const codes: string[] = findings.map(({ code }) => code);
  const right =
    expected.length === 0 ? codes.length === 0 : expected.every((one) => codes.includes(one));
  if (!right) wrong += 1;
  const found = findings.map((one) => `${one.code} (${one.severity}, step ${one.step})`);
  lines.push(
    `| ${name} | ${about} | ${step} | ${expected.join(', ') || 'none'} | ${found.join(', ') || 'none'} | ${right ? 'yes' : 'NO'} |`,
  );
}
process.stdout.write('| run | what | steps | expected | found | as expected |\n');
process.stdout.write(`|---|---|---|---|---|---|\n${lines.join('\n')}\n`);
process.exitCode = wrong > 0 ? 1 : 0;
