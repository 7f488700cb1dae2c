// Compares generation with transformers, with the same model, prompts, precision and threads;
// prints a ratio for each batch size.
//   node benchmarks/generate-vs-transformers.ts
//     --python <a Python with benchmarks/trl/requirements.txt> [--model folder]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDefaultModel, tokenizerFromFolder } from '@keel/model';
import { benchmarkPrompts } from './generation-prompts.ts';
import { requiredPython } from './required-python.ts';

interface Line {
  batch: number;
  tokensPerSecond: number;
  peakBytes: number;
}

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    model: { type: 'string' },
    batches: { type: 'string', default: '1,16,64' },
    'prompt-tokens': { type: 'string', default: '85' },
    'new-tokens': { type: 'string', default: '64' },
    repeats: { type: 'string', default: '3' },
    precision: { type: 'string', default: 'bf16' },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string' },
  },
});
const python = requiredPython(values.python);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-generate-'));

function run(program: string, args: string[]): Line[] {
  const output = execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

try {
  let { model } = values;
  if (model === undefined) {
    model = join(folder, 'model');
    run(python, [here('trl/export-model.py'), await ensureDefaultModel(), model]);
  }
  const prompts = join(folder, 'prompts.json');
  const count = Math.max(...values.batches.split(',').map(Number));
  writeFileSync(
    prompts,
    JSON.stringify(
      benchmarkPrompts(tokenizerFromFolder(model), count, Number(values['prompt-tokens'])),
    ),
  );
  const shared = [
    '--model',
    model,
    '--prompts',
    prompts,
    '--batches',
    values.batches,
    '--new-tokens',
    values['new-tokens'],
    '--repeats',
    values.repeats,
    '--device',
    values.device,
    ...(values.threads === undefined ? [] : ['--threads', values.threads]),
  ];
  const keel = run(process.execPath, [
    here('generate.ts'),
    ...shared,
    '--precision',
    values.precision,
  ]);
  const transformers = run(python, [
    here('trl/generate.py'),
    ...shared,
    '--dtype',
    values.precision,
  ]);
  for (const one of keel) {
    const other = transformers.find(({ batch }) => batch === one.batch)!;
    const line = {
      batch: one.batch,
      keelTokensPerSecond: Math.round(one.tokensPerSecond),
      transformersTokensPerSecond: Math.round(other.tokensPerSecond),
      ratio: Number((one.tokensPerSecond / other.tokensPerSecond).toFixed(2)),
      // Peak of the whole process so far; both sides load the weights.
      memoryRatio: Number((one.peakBytes / other.peakBytes).toFixed(2)),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
