// Measures the cost of batches with ever-changing sizes: plain products, for which oneDNN compiles
// code for every new shape, against Keel's. Each variant runs in a separate process.
//   node benchmarks/differing-batches.ts
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noGrad, ops, randn, type Tensor, tidy } from '@keel/torch';

type Product = (x: Tensor, weight: Tensor) => Tensor;
const products: Record<string, Product> = {
  plain: (x, weight) => ops.mm(x, weight.t()),
  Keel: (x, weight) => ops.linear(x, weight),
};
const PASSES = 300;

/**
 * Forward and backward through two layers of SmolLM2's MLP, with 400 tokens and `growth` more in
 * each pass.
 */
function measure(product: Product, growth: number): { seconds: number; megabytes: number } {
  const [up, down] = noGrad(() =>
    tidy(() => [randn([1536, 576]).to('bfloat16'), randn([576, 1536]).to('bfloat16')]),
  ) as [Tensor, Tensor];
  const pass = (tokens: number): void =>
    tidy(() => {
      const x = randn([tokens, 576]).to('bfloat16').setRequiresGrad();
      product(product(x, up), down).sum().backward();
      x.grad = null;
    });
  pass(400);
  const before = process.memoryUsage.rss();
  const start = performance.now();
  for (let index = 0; index < PASSES; index++) pass(400 + growth * index);
  return {
    seconds: (performance.now() - start) / 1000,
    megabytes: (process.memoryUsage.rss() - before) / 1e6,
  };
}

const [form, growth] = process.argv.slice(2);
if (form !== undefined) {
  process.stdout.write(JSON.stringify(measure(products[form]!, Number(growth))));
} else {
  process.stdout.write('| | tokens | seconds | resident memory gained, MB |\n|---|---|---|---|\n');
  for (const [name, each, tokens] of [
    ['plain', 3, '400 to 1,297'],
    ['pieces', 3, '400 to 1,297'],
    ['plain', 0, '400'],
    ['pieces', 0, '400'],
  ] as const) {
    const self = fileURLToPath(import.meta.url);
    const found = JSON.parse(
      execFileSync(process.execPath, [self, name, String(each)], { encoding: 'utf8' }),
    );
    process.stdout.write(
      `| ${name} | ${tokens} | ${found.seconds.toFixed(2)} | ${found.megabytes.toFixed(0)} |\n`,
    );
  }
}
