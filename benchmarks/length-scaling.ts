// Measures the time of a training pass over one sequence by its length: forward and backward with
// LoRA, every token scored. Attention is also timed separately, because its work grows with the
// square. Prints a table; --plot also writes an SVG.
//   node benchmarks/length-scaling.ts [--lengths 256,512,…] [--threads 2] [--repeats 3]
//     [--plot docs/results/length-scaling.svg]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addLora, BatchBuilder, type LanguageModel, loadModel } from '@keel/model';
import { manualSeed, ops, randn, setThreads, tidy } from '@keel/torch';
import { lineChart } from './line-chart.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    lengths: { type: 'string', default: '256,512,1024,2048,4096,8192' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '3' },
    plot: { type: 'string' },
  },
});
setThreads(Number(values.threads));
manualSeed(1);

/** Median seconds of several runs after a warm-up. */
function seconds(body: () => void): number {
  const times = Array.from({ length: Number(values.repeats) + 1 }, () => {
    const start = performance.now();
    tidy(body);
    return (performance.now() - start) / 1000;
  });
  return times.slice(1).toSorted((a, b) => a - b)[(times.length - 1) >> 1]!;
}

function pass(model: LanguageModel, length: number): void {
  const builder = new BatchBuilder();
  const { vocabularySize } = model.decoder.config;
  builder.add(Array.from({ length }, (_, index) => (index * 7919) % vocabularySize));
  const batch = builder.build();
  const scored = {
    rows: Int32Array.from({ length: length - 1 }, (_, index) => index),
    targets: batch.tokens.slice(1),
  };
  model.as('policy', () =>
    model.scoreTokens(batch, scored, { training: true }).logprobs.sum().backward(),
  );
}

/** Forward and backward of one layer's attention. */
function attention(model: LanguageModel, length: number): void {
  const { heads, keyValueHeads, headSize, attentionScale } = model.decoder.config;
  const make = (count: number) => randn([length, count, headSize]).to('bfloat16').setRequiresGrad();
  const [query, key, value] = [make(heads), make(keyValueHeads), make(keyValueHeads)];
  ops
    .segmentAttention(query, key, value, [0, length, -1], attentionScale)
    .backward(randn([length, heads, headSize]).to('bfloat16'));
}

const model = await loadModel(values.model, { precision: 'bf16' });
addLora(model.decoder, 'policy', { rank: 16, alpha: 32, targets: 'all-linear', seed: 1 });
process.stdout.write(
  '| tokens | s/pass | ms/token | of that attention | the rest |\n|---|---|---|---|---|\n',
);
const lengths = values.lengths.split(',').map(Number);
const { heads, keyValueHeads, headSize, layers: blocks } = model.decoder.config;
const layers = blocks.length;
const rows = lengths.map((length) => {
  const whole = seconds(() => pass(model, length));
  // Creating the inputs is not part of the measurement.
  const made = seconds(() => {
    for (const count of [heads, keyValueHeads, keyValueHeads, heads])
      randn([length, count, headSize]).to('bfloat16');
  });
  const own = layers * Math.max(0, seconds(() => attention(model, length)) - made);
  const [all, square] = [(1000 * whole) / length, (1000 * own) / length];
  process.stdout.write(
    `| ${length} | ${whole.toFixed(3)} | ${all.toFixed(3)} | ${square.toFixed(3)} | ${(all - square).toFixed(3)} |\n`,
  );
  return { all, square, rest: all - square };
});
model.dispose();
if (values.plot !== undefined) {
  const line = (label: string, key: 'all' | 'square' | 'rest') => ({
    label,
    values: rows.map((row) => row[key]),
  });
  writeFileSync(
    values.plot,
    lineChart({
      title: 'Milliseconds per token, forward and backward',
      x: lengths,
      lines: [line('all', 'all'), line('without attention', 'rest'), line('attention', 'square')],
    }),
  );
}
