// Compares Keel with TRL in alternating rounds, with the same model, rows, order, precision and
// threads; prints both and the ratio.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDefaultModel } from '@keel/model';
import { requiredPython } from './required-python.ts';

interface Measured {
  seconds_per_step: number[];
  tokens_per_second: number;
  tokens_per_step: number[];
  peak_rss_bytes: number;
  matmul_flops?: number;
  model_flops_per_step?: number;
}

export interface Comparison {
  /** Name of benchmarks/trl/<name>.py and benchmarks/keel/<name>.ts. */
  name: string;
  /** Flag for the rows per step, and its default. */
  rows: { flag: string; default: string };
  /** Rows as JSON Lines, from --data if given. */
  data(path: string | undefined): string;
  /** Column label of the counted tokens (default: `tokens/s`). */
  tokens?: string;
  /** TRL's variants: a name, and flags of its script. */
  trl: Readonly<Record<string, readonly string[]>>;
  /**
   * Keel's variants in addition to its default, which the ratios refer to: a name, and flags of its
   * script.
   */
  keel?: Readonly<Record<string, readonly string[]>>;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs the comparison given by the command line. */
export async function compareWithTrl(comparison: Comparison): Promise<void> {
  const { flag } = comparison.rows;
  const { values } = parseArgs({
    options: {
      python: { type: 'string' },
      data: { type: 'string' },
      model: { type: 'string' },
      steps: { type: 'string', default: '6' },
      [flag]: { type: 'string', default: comparison.rows.default },
      epochs: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '2' },
      dtype: { type: 'string', default: 'bf16' },
      full: { type: 'boolean', default: false },
      'default-only': { type: 'boolean', default: false },
      threads: { type: 'string', default: '2' },
    },
  }) as { values: Record<string, string> & { full: boolean; 'default-only': boolean } };
  const python = requiredPython(values.python);
  const folder = mkdtempSync(join(tmpdir(), 'keel-vs-trl-'));
  try {
    const data = join(folder, 'rows.jsonl');
    writeFileSync(data, comparison.data(values.data));
    let { model } = values;
    if (model === undefined) {
      model = join(folder, 'model');
      execFileSync(python, [here('trl/export-model.py'), await ensureDefaultModel(), model], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    }
    const flags = Object.entries({
      data,
      steps: values.steps!,
      epochs: values.epochs!,
      [flag]: values[flag]!,
      dtype: values.dtype!,
      threads: values.threads!,
    }).flatMap(([name, value]) => [`--${name}`, value]);
    const common = [...flags, ...(values.full ? ['--full'] : [])];
    const script = here(`trl/${comparison.name}.py`);
    // TRL's default comes first.
    const compared = Object.entries(comparison.trl).slice(
      0,
      values['default-only'] ? 1 : undefined,
    );
    const sides: [string, () => Measured][] = compared.map(([name, own]) => [
      name,
      () => run(python, [script, '--model', model!, ...common, ...own]),
    ]);
    const keel = [here(`keel/${comparison.name}.ts`), ...common];
    const forms = values['default-only'] ? {} : (comparison.keel ?? {});
    for (const [name, own] of Object.entries({ ...forms, Keel: [] })) {
      sides.push([name, () => run(process.execPath, [...keel, ...own])]);
    }
    const found: Record<string, Measured[]> = {};
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, measure] of sides) {
        const result = measure();
        found[name] = [...(found[name] ?? []), result];
        process.stderr.write(
          `round ${round + 1}, ${name}: ${result.tokens_per_second.toFixed(0)} tokens/s\n`,
        );
      }
    }
    report(found, values.dtype!, Number(values.epochs), comparison.tokens);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: string[]): Measured {
  const text = execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text.trim().split('\n').at(-1)!) as Measured;
}

function report(
  found: Readonly<Record<string, Measured[]>>,
  dtype: string,
  epochs: number,
  tokens = 'tokens/s',
): void {
  const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
  const median = (list: number[]): number =>
    list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
  // From the median step, so that one disturbed step has no effect; over several epochs from the
  // mean, because their steps differ.
  const typical = (list: number[]): number => (epochs > 1 ? sum(list) / list.length : median(list));
  const rows = Object.entries(found).map(([name, runs]) => ({
    name,
    step: typical(runs.flatMap((one) => one.seconds_per_step)),
    speed:
      typical(runs.flatMap((one) => one.tokens_per_step)) /
      typical(runs.flatMap((one) => one.seconds_per_step)),
    peak: Math.min(...runs.map((one) => one.peak_rss_bytes)),
  }));
  const keel = rows.at(-1)!;
  process.stdout.write(
    `| | s/step | ${tokens} | peak memory, GB | Keel is faster | Keel's memory |\n|---|---|---|---|---|---|\n`,
  );
  for (const { name, step, speed, peak } of rows) {
    process.stdout.write(
      `| ${name} | ${step.toFixed(2)} | ${speed.toFixed(0)} | ${(peak / 1e9).toFixed(2)} | ${(keel.speed / speed).toFixed(2)}x | ${(keel.peak / peak).toFixed(2)} |\n`,
    );
  }
  const { matmul_flops: peak, model_flops_per_step: work } = found.Keel?.at(-1) ?? {};
  // Later epochs need less, because the reference is cached.
  if (epochs > 1 || peak === undefined || work === undefined) return;
  const share = work / keel.step / peak;
  process.stdout.write(
    `\nThis machine's peak ${dtype} matmul speed: ${(peak / 1e9).toFixed(0)} GFLOP/s. Keel's step needs ` +
      `${(work / 1e12).toFixed(2)} TFLOP and runs at ${(100 * share).toFixed(0)}% of that.\n`,
  );
}
