// Compares the loss in bf16 and fp32 over the same DPO run on the bundled pairs, and prints their
// difference.
//   node benchmarks/precision-curves.ts [--steps 100] [--data rows.jsonl] [--learning-rate 1e-5]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alignPairs } from '@keel/align';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100' },
    data: {
      type: 'string',
      default: fileURLToPath(new URL('../examples/data/concise-train.jsonl', import.meta.url)),
    },
    'learning-rate': { type: 'string', default: '1e-5' },
    threads: { type: 'string', default: '2' },
  },
});
/** Steps of a running mean. */
const SPAN = 10;
const average = (list: readonly number[]): number =>
  list.reduce((sum, one) => sum + one, 0) / list.length;
const folder = mkdtempSync(join(tmpdir(), 'keel-precision-'));

async function losses(precision: 'bf16' | 'fp32'): Promise<number[]> {
  const found: number[] = [];
  await alignPairs(
    {
      data: [values.data],
      output: join(folder, precision),
      lora: true,
      batchSize: 4,
      maxSteps: Number(values.steps),
      learningRate: Number(values['learning-rate']),
      saveSteps: null,
      samplePrompts: null,
      precision,
      threads: Number(values.threads),
    },
    {
      onEvent(event) {
        if (event.type === 'step') found.push(event.metrics.loss!);
      },
    },
  );
  return found;
}

try {
  const [wide, narrow] = [await losses('fp32'), await losses('bf16')];
  const apart = wide.map((loss, step) => Math.abs(narrow[step]! - loss) / loss);
  const mean = average(apart);
  // A step's loss covers only four pairs, so the curve is smoothed over several steps.
  const curves = [wide, narrow].map((losses) =>
    losses.slice(SPAN - 1).map((_, step) => average(losses.slice(step, step + SPAN))),
  );
  const curveApart = curves[0]!.map((loss, step) => Math.abs(curves[1]![step]! - loss) / loss);
  process.stdout.write('| step | loss, fp32 | loss, bf16 | difference |\n|---|---|---|---|\n');
  for (let step = 10; step <= wide.length; step += 10) {
    const [a, b] = [wide[step - 1]!, narrow[step - 1]!];
    process.stdout.write(
      `| ${step} | ${a.toFixed(4)} | ${b.toFixed(4)} | ${(100 * apart[step - 1]!).toFixed(2)}% |\n`,
    );
  }
  process.stdout.write(
    `\nOver ${wide.length} steps: ${(100 * mean).toFixed(2)}% difference on average, ${(100 * Math.max(...apart)).toFixed(2)}% at most. ` +
      `Running means of ${SPAN} steps: ${(100 * average(curveApart)).toFixed(2)}% difference on average, ${(100 * Math.max(...curveApart)).toFixed(2)}% at most.\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
