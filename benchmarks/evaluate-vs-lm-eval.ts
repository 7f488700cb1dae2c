// Compares `keel evaluate` with lm-evaluation-harness on a multiple-choice task, with the same
// model, questions, precision and threads; prints both sides' rates and memory, and how far their
// log-likelihoods differ.
//   node benchmarks/evaluate-vs-lm-eval.ts --python <a Python with lm_eval 0.4.13 and transformers>
//     --task task.yaml [--model folder] [--limit n] [--batch-sizes 1,16] [--rounds 2] [--threads 2]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDefaultModel } from '@keel/model';
import { requiredPython } from './required-python.ts';

interface Measured {
  /** From the first question to the last, without loading. */
  seconds: number;
  questions: number;
  peak_rss_bytes: number;
  /** By question: the log-likelihoods of its choices. */
  log_likelihoods: number[][];
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    task: { type: 'string' },
    model: { type: 'string' },
    limit: { type: 'string' },
    'batch-sizes': { type: 'string', default: '1,16' },
    rounds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
  },
});
const python = requiredPython(values.python);
if (values.task === undefined) {
  process.stderr.write('--task is required: a multiple-choice task file of lm-eval\n');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'keel-vs-lm-eval-'));
try {
  let { model } = values;
  if (model === undefined) {
    model = join(folder, 'model');
    execFileSync(python, [here('trl/export-model.py'), await ensureDefaultModel(), model], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const common = ['--task', values.task, '--model', model, '--threads', values.threads];
  const limited = values.limit === undefined ? [] : ['--limit', values.limit];
  const sides: [string, () => Measured][] = [
    ...values['batch-sizes']
      .split(',')
      .map((size): [string, () => Measured] => [
        `lm-eval, fp32, batch size ${size}`,
        () =>
          run(python, [here('lm-eval/evaluate.py'), ...common, ...limited, '--batch-size', size]),
      ]),
    ['Keel, fp32', () => keel('fp32', common, limited)],
    ['Keel, default precision', () => keel('auto', common, limited)],
  ];
  const found = new Map<string, Measured[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, measure] of sides) {
      const one = measure();
      found.set(name, [...(found.get(name) ?? []), one]);
      const rate = one.questions / one.seconds;
      process.stderr.write(`round ${round + 1}, ${name}: ${rate.toFixed(2)} questions/s\n`);
    }
  }
  report(found);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(program: string, args: readonly string[]): Measured {
  const text = execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  });
  return JSON.parse(text.trim().split('\n').at(-1)!) as Measured;
}

function keel(precision: string, common: readonly string[], limited: readonly string[]): Measured {
  const output = mkdtempSync(join(folder, 'keel-'));
  const found = run(process.execPath, [
    ...[here('keel/evaluate.ts'), ...common, ...limited],
    ...['--precision', precision, '--output', output],
  ]);
  const own = join(output, readdirSync(output).find((name) => !name.includes('.'))!);
  const samples = readdirSync(own).find((name) => name.startsWith('samples_'))!;
  const lines = readFileSync(join(own, samples), 'utf8').trimEnd().split('\n');
  const responses = lines.map((line) => JSON.parse(line).filtered_resps as [string, string][]);
  return { ...found, log_likelihoods: responses.map((one) => one.map(([logp]) => Number(logp))) };
}

function report(found: ReadonlyMap<string, readonly Measured[]>): void {
  const first = [...found.values()][0]![0]!;
  const rows = [...found].map(([name, runs]) => ({
    name,
    rate: Math.max(...runs.map(({ seconds, questions }) => questions / seconds)),
    peak: Math.min(...runs.map((one) => one.peak_rss_bytes)),
    difference: largestDifference(first.log_likelihoods, runs[0]!.log_likelihoods),
  }));
  const own = rows.find(({ name }) => name === 'Keel, fp32')!;
  process.stdout.write(
    '| | questions/s | peak memory, GB | Keel (fp32) is faster | its memory | largest difference, nats |\n|---|---|---|---|---|---|\n',
  );
  for (const { name, rate, peak, difference } of rows) {
    process.stdout.write(
      `| ${name} | ${rate.toFixed(2)} | ${(peak / 1e9).toFixed(2)} | ${(own.rate / rate).toFixed(2)}x | ${(own.peak / peak).toFixed(2)} | ${difference.toExponential(1)} |\n`,
    );
  }
}

function largestDifference(one: readonly number[][], other: readonly number[][]): number {
  return Math.max(
    ...one.flatMap((list, row) => list.map((value, at) => Math.abs(value - other[row]![at]!))),
  );
}
