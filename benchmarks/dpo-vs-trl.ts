// DPO beside TRL: the same model, rows, order, LoRA, precision and threads, in turn, several rounds; prints both and the ratio.
// node benchmarks/dpo-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt> [--data rows.jsonl] [--model folder]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDefaultModel } from '@keel/model';
import { randomPairs } from './random-pairs.ts';
import { requiredPython } from './required-python.ts';

interface Measured {
  seconds_per_step: number[];
  tokens_per_second: number;
  tokens_per_step: number[];
  peak_rss_bytes: number;
  matmul_flops?: number;
  model_flops_per_step?: number;
}

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    data: { type: 'string' },
    model: { type: 'string' },
    steps: { type: 'string', default: '6' },
    pairs: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    dtype: { type: 'string', default: 'bf16' },
    full: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
});
const python = requiredPython(values.python);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-vs-trl-'));

const run = (program: string, args: string[]): Measured => {
  const text = execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text.trim().split('\n').at(-1)!) as Measured;
};

try {
  let data = values.data;
  if (data === undefined) {
    data = join(folder, 'rows.jsonl');
    writeFileSync(
      data,
      randomPairs(64)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
  }
  let model = values.model;
  if (model === undefined) {
    model = join(folder, 'model');
    execFileSync(python, [here('trl/export-model.py'), await ensureDefaultModel(), model], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const common = [
    '--data',
    data,
    '--steps',
    values.steps,
    '--pairs',
    values.pairs,
    '--dtype',
    values.dtype,
    '--threads',
    values.threads,
    ...(values.full ? ['--full'] : []),
  ];
  const trl = (...more: string[]): Measured =>
    run(python, [here('trl/dpo.py'), '--model', model, ...common, ...more]);
  const sides: Record<string, () => Measured> = {
    'TRL, default': () => trl(),
    'TRL, reference precomputed': () => trl('--precompute'),
    'TRL, precomputed, no recomputation': () => trl('--precompute', '--no-gradient-checkpointing'),
    Keel: () => run(process.execPath, [here('keel/dpo.ts'), ...common]),
  };
  const found: Record<string, Measured[]> = {};
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, measure] of Object.entries(sides)) {
      const result = measure();
      const list = found[name] ?? [];
      found[name] = [...list, result];
      process.stderr.write(
        `round ${round + 1}, ${name}: ${result.tokens_per_second.toFixed(0)} tokens/s\n`,
      );
    }
  }
  report(found);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(found: Record<string, Measured[]>): void {
  const median = (list: number[]): number =>
    list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
  const rows = Object.entries(found).map(([name, runs]) => ({
    name,
    step: median(runs.flatMap((one) => one.seconds_per_step)),
    // Of the median step, so that one disturbed step does not decide.
    speed:
      median(runs.flatMap((one) => one.tokens_per_step)) /
      median(runs.flatMap((one) => one.seconds_per_step)),
    peak: Math.min(...runs.map((one) => one.peak_rss_bytes)),
  }));
  const keel = rows.at(-1)!;
  process.stdout.write(
    "| | s a step | tokens/s | peak memory, GB | Keel is faster | Keel's memory |\n|---|---|---|---|---|---|\n",
  );
  for (const { name, step, speed, peak } of rows) {
    process.stdout.write(
      `| ${name} | ${step.toFixed(2)} | ${speed.toFixed(0)} | ${(peak / 1e9).toFixed(2)} | ${(keel.speed / speed).toFixed(2)}x | ${(keel.peak / peak).toFixed(2)} |\n`,
    );
  }
  const { matmul_flops: peak = Number.NaN, model_flops_per_step: work = Number.NaN } =
    found.Keel?.at(-1) ?? {};
  const share = work / keel.step / peak;
  process.stdout.write(
    `\nThis machine's own ${values.dtype} matrix product: ${(peak / 1e9).toFixed(0)} GFLOP/s. Keel's step needs ` +
      `${(work / 1e12).toFixed(2)} TFLOP and runs at ${(100 * share).toFixed(0)}% of that.\n`,
  );
}
