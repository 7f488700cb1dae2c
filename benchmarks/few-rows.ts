// Compares float32 products of a few rows, as in a step of generation, with LibTorch's, in
// SmolLM2's sizes. Every product reads another weight. GFLOP/s of the fastest of several runs.
//   node benchmarks/few-rows.ts [--rows 1,4,16,32,64] [--threads 2] [--repeats 15]
import { parseArgs } from 'node:util';
import { manualSeed, noGrad, ops, randn, setThreads, type Tensor, tidy } from '@keel/torch';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1,4,16,32,64' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '15' },
  },
});
setThreads(Number(values.threads));
manualSeed(1);
const weightsOfEach = 12;

const made = (shape: number[]): Tensor => tidy(() => randn(shape).mul(0.05)).keep();

/** Milliseconds. */
function fastest(body: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= Number(values.repeats); run++) {
    const start = performance.now();
    noGrad(() => tidy(body));
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const table = [];
for (const [inner, features] of [
  [576, 576],
  [576, 1536],
  [1536, 576],
] as const) {
  const weights = Array.from({ length: weightsOfEach }, () => made([features, inner]));
  for (const rows of values.rows.split(',').map(Number)) {
    const x = made([rows, inner]);
    const own = fastest(() => {
      for (const weight of weights) ops.linear(x, weight);
    });
    const composed = fastest(() => {
      for (const weight of weights) ops.mm(x, weight.t());
    });
    const speed = (2 * rows * inner * features * weightsOfEach) / 1e6;
    table.push({
      product: `${inner} to ${features}`,
      rows,
      Keel: Math.round(speed / own),
      LibTorch: Math.round(speed / composed),
      'Keel is faster': (composed / own).toFixed(2),
    });
  }
}
console.table(table);
