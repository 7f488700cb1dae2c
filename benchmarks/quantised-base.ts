// Measures DPO with LoRA and generation of one sequence with the base held in different forms: time
// of a step, milliseconds of a token, peak memory; each in its own process. With --python, the same
// training by TRL with PEFT, and with bitsandbytes' NF4.
//   node benchmarks/quantised-base.ts --folder model-in-bf16 --gguf file.gguf [--pairs 2]
//     [--steps 4] [--tokens 64] [--threads 2] [--rounds 1] [--python path]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jsonLines, randomPairs } from './random-pairs.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    gguf: { type: 'string' },
    pairs: { type: 'string', default: '2' },
    steps: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '1' },
    python: { type: 'string' },
    'only-python': { type: 'boolean', default: false },
  },
});
const { folder, gguf, python } = values;
if (folder === undefined || gguf === undefined) {
  throw new Error('--folder and --gguf are required: the model in bf16, and quantised');
}
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const { OMP_NUM_THREADS: _, ...environment } = process.env;

interface Trained {
  seconds_per_step: number[];
  tokens_per_step: number[];
  peak_rss_bytes: number;
}

interface Generated {
  milliseconds: number;
  peak: number;
  loaded: number;
}

const lastLine = (program: string, args: string[]): unknown => {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore'];
  const text = execFileSync(program, args, { encoding: 'utf8', stdio, env: environment });
  return JSON.parse(text.trim().split('\n').at(-1)!);
};
const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

const forms = [
  { name: 'bf16', model: folder, base: 'bf16' },
  { name: 'file kept', model: gguf, base: 'kept' },
  { name: 'NF4', model: folder, base: 'nf4' },
];
const scratch = mkdtempSync(join(tmpdir(), 'keel-quantised-'));
try {
  const data = join(scratch, 'rows.jsonl');
  writeFileSync(data, jsonLines(randomPairs(64)));
  const common = ['--data', data, '--steps', values.steps, '--pairs', values.pairs];
  common.push('--threads', values.threads);
  const print = (cells: readonly string[]): void =>
    void process.stdout.write(`| ${cells.join(' | ')} |\n`);
  print([
    'base',
    's a step',
    'tokens/s',
    'GB, training',
    'ms a token',
    'GB, generating',
    'GB, loaded',
  ]);
  print(Array<string>(7).fill('---'));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, model, base } of values['only-python'] ? [] : forms) {
      const own = ['--model', model, '--base-precision', base];
      const trained = lastLine(process.execPath, [
        here('keel/dpo.ts'),
        ...common,
        ...own,
      ]) as Trained;
      const generated = lastLine(process.execPath, [
        here('keel/decode.ts'),
        ...[...own, '--tokens', values.tokens, '--threads', values.threads],
      ]) as Generated;
      print([name, ...trainedCells(trained), ...generatedCells(generated)]);
    }
    for (const [name, flags] of Object.entries({ 'PEFT, bf16': [], 'PEFT, NF4': ['--nf4'] })) {
      if (python === undefined) continue;
      const args = [here('trl/dpo.py'), '--model', folder, ...common, ...flags];
      print([name, ...trainedCells(lastLine(python, args) as Trained), '', '', '']);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function trainedCells({ seconds_per_step, tokens_per_step, peak_rss_bytes }: Trained): string[] {
  const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
  const speed = sum(tokens_per_step) / sum(seconds_per_step);
  return [median(seconds_per_step).toFixed(2), speed.toFixed(0), (peak_rss_bytes / 1e9).toFixed(2)];
}

function generatedCells({ milliseconds, peak, loaded }: Generated): string[] {
  return [milliseconds.toFixed(1), (peak / 1e9).toFixed(2), (loaded / 1e9).toFixed(2)];
}
