// Measures Keel's DPO: time and tokens of each step, peak memory. Prints one JSON line, as benchmarks/trl/dpo.py does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  alignPairs,
  measureMatmulPeak,
  openRows,
  packPairs,
  type TokenisedPair,
  tokenisePair,
} from '@keel/align';
import { backwardFlops, forwardFlops, loadModel, modelSizes, totalFlops } from '@keel/model';
import { threads, torchBuild } from '@keel/torch';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    data: { type: 'string' },
    steps: { type: 'string', default: '9' },
    pairs: { type: 'string', default: '4' },
    rank: { type: 'string', default: '16' },
    full: { type: 'boolean', default: false },
    dtype: { type: 'string', default: 'bf16' },
    threads: { type: 'string' },
    'micro-batch-tokens': { type: 'string', default: 'auto' },
    'gradient-checkpointing': { type: 'string', default: 'auto' },
    'lora-layers': { type: 'string' },
  },
});
if (values.data === undefined) throw new Error('--data is missing: preference rows, JSON Lines');

/** Highest resident memory of this process so far, in bytes, as the system counts it. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

const folder = mkdtempSync(join(tmpdir(), 'keel-dpo-'));
try {
  const [steps, pairs] = [Number(values.steps), Number(values.pairs)];
  const lines = readFileSync(values.data, 'utf8').trim().split('\n');
  const data = join(folder, 'rows.jsonl');
  const needed = steps * pairs;
  writeFileSync(
    data,
    Array.from({ length: needed }, (_, row) => `${lines[row % lines.length]}\n`).join(''),
  );
  const seconds: number[] = [];
  const tokens: number[] = [];
  let last = performance.now();
  let counted = 0;
  await alignPairs(
    {
      model: values.model,
      data: [data],
      output: join(folder, 'run'),
      lora: !values.full,
      loraRank: Number(values.rank),
      loraAlpha: 2 * Number(values.rank),
      batchSize: pairs,
      maxSteps: steps,
      learningRate: 1e-5,
      scheduler: 'constant',
      shuffle: false,
      precision: values.dtype as 'bf16' | 'fp32',
      saveSteps: null,
      microBatchTokens:
        values['micro-batch-tokens'] === 'auto' ? 'auto' : Number(values['micro-batch-tokens']),
      gradientCheckpointing: values['gradient-checkpointing'] as 'auto' | 'on' | 'off',
      loraLayers: values['lora-layers'] === undefined ? null : [values['lora-layers']],
      threads: values.threads === undefined ? null : Number(values.threads),
    },
    {
      onEvent(event) {
        if (event.type === 'notice') process.stderr.write(`${event.text}\n`);
        if (event.type === 'start') last = performance.now();
        if (event.type !== 'step') return;
        const now = performance.now();
        seconds.push((now - last) / 1000);
        last = now;
        tokens.push((event.metrics.num_tokens ?? 0) - counted);
        counted = event.metrics.num_tokens ?? 0;
      },
    },
  );
  const peak = peakBytes();
  const sum = (list: number[]): number => list.slice(1).reduce((total, value) => total + value, 0);
  process.stdout.write(
    `${JSON.stringify({
      trainer: 'keel',
      training: values.full ? 'full' : `lora-${values.rank}`,
      dtype: values.dtype,
      torch: torchBuild().version,
      threads: threads(),
      seconds_per_step: seconds.slice(1),
      tokens_per_second: sum(tokens) / sum(seconds),
      tokens_per_step: tokens.slice(1),
      peak_rss_bytes: peak,
      model_flops_per_step: await modelFlops(data, pairs, steps),
      matmul_flops: measureMatmulPeak(values.dtype).flops,
    })}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Floating-point operations of a step, as every run counts them for its mfu. */
async function modelFlops(path: string, pairs: number, steps: number): Promise<number> {
  const model = await loadModel(values.model);
  const sizes = modelSizes(model.decoder);
  const rows = await openRows([path], { kind: 'preference' });
  let flops = 0;
  for (let step = 1; step < steps; step++) {
    const indices = Array.from({ length: pairs }, (_, index) => step * pairs + index);
    const tokenised = (await rows.readMany(indices)).map((row) =>
      tokenisePair(row, model.tokenizer, { maxLength: null }),
    );
    const batch = packPairs(tokenised.filter((pair): pair is TokenisedPair => pair !== null));
    const forward = forwardFlops(sizes, batch.packed, batch.scored.rows.length);
    const backward = backwardFlops(forward, { trainedWeights: values.full });
    // LoRA computes its reference in the step; in full fine-tuning it is there before.
    flops += (values.full ? 1 : 2) * totalFlops(forward) + totalFlops(backward);
  }
  await rows.close();
  model.dispose();
  return flops / (steps - 1);
}
