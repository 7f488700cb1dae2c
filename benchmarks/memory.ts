// Measures peak memory of DPO with LoRA by pairs per step, with activations stored and recomputed,
// each in a separate process.
//   node benchmarks/memory.ts [--data rows.jsonl] [--model …] [--steps 4] [--dtype bf16]
//     [--threads 2] [--pairs 4,8,16,32]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomPairs } from './random-pairs.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    steps: { type: 'string', default: '4' },
    dtype: { type: 'string', default: 'bf16' },
    threads: { type: 'string', default: '2' },
    pairs: { type: 'string', default: '4,8,16,32' },
  },
});
interface Measured {
  tokens_per_second: number;
  peak_rss_bytes: number;
}

const program = fileURLToPath(new URL('keel/dpo.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-memory-'));
try {
  let data = values.data;
  if (data === undefined) {
    data = join(folder, 'rows.jsonl');
    const lines = randomPairs(128).map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(data, lines.join(''));
  }
  const measure = (pairs: string, checkpointing: 'off' | 'on'): Measured => {
    const args = ['--data', data, '--model', values.model, '--steps', values.steps];
    args.push('--dtype', values.dtype, '--threads', values.threads, '--pairs', pairs);
    args.push('--gradient-checkpointing', checkpointing);
    const text = execFileSync(process.execPath, [program, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(text.trim().split('\n').at(-1)!) as Measured;
  };
  process.stdout.write(
    '| pairs per step | GB, activations stored | tokens/s | GB, recomputed | tokens/s |\n|---|---|---|---|---|\n',
  );
  for (const pairs of values.pairs.split(',')) {
    const cells = (['off', 'on'] as const).flatMap((checkpointing) => {
      const { peak_rss_bytes: peak, tokens_per_second: speed } = measure(pairs, checkpointing);
      return [(peak / 1e9).toFixed(2), speed.toFixed(0)];
    });
    process.stdout.write(`| ${pairs} | ${cells.join(' | ')} |\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
