// Products of a few rows in bfloat16: the loops of a generation step.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { randn, tensor } from './create.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { tidy } from './scope.ts';
import { setThreads, threads } from './system.ts';
import { runChild } from './testing/run-child.ts';

/** As in small_linear.h. */
const mostRows = readFileSync('/proc/cpuinfo', 'utf8').includes('amx_bf16') ? 16 : 128;

const threadsBefore = threads();
afterAll(() => setThreads(threadsBefore));

const shapes = [
  [1, 1, 1],
  [1, 31, 17],
  [2, 32, 5],
  [3, 64, 16],
  [4, 576, 33],
  [5, 33, 70],
  [16, 130, 129],
  [64, 576, 100],
  [65, 40, 24],
  [128, 70, 49],
  [129, 40, 24],
] as const;

describe.each(shapes)('[%i, %i] x [%i features]', (rows, inner, features) => {
  const made = tidy(() => {
    manualSeed(rows);
    const x = randn([rows, inner]).to('bfloat16');
    const weight = randn([features, inner]).to('bfloat16');
    const bias = randn([features]).to('bfloat16');
    const exact = x.to('float64').matmul(weight.to('float64').t()); // [rows, features]
    const wide = ops.linearWide(x, weight);
    const narrow = ops.linear(x, weight, bias);
    const alone = ops.linearWide(x.narrow(0, rows - 1, 1), weight);
    setThreads(1);
    const oneThread = ops.linearWide(x, weight);
    setThreads(2);
    const largest = exact.abs().max().item();
    return {
      wideError: wide.to('float64').sub(exact).abs().max().item() / largest,
      narrowError: narrow.to('float64').sub(exact.add(bias)).abs().max().item() / largest,
      wide: wide.toArray(),
      last: wide.narrow(0, rows - 1, 1).toArray(),
      alone: alone.toArray(),
      oneThread: oneThread.toArray(),
    };
  });
  // With more rows, LibTorch's product rounds to bfloat16.
  const small = rows <= mostRows;

  it('equals the product', () => {
    expect(made.wideError).toBeLessThan(small ? 2e-6 : 2 ** -8);
    expect(made.narrowError).toBeLessThan(2 ** -6);
  });
  if (small) {
    it('does not depend on the threads', () => expect(made.oneThread).toEqual(made.wide));
    it('gives a row the same beside others and alone', () => expect(made.alone).toEqual(made.last));
  }
});

it('carries the gradient if requested', () => {
  const x = tensor([[1, 2]], { dtype: 'bfloat16' }).setRequiresGrad();
  const weight = tensor([[3, 4]], { dtype: 'bfloat16' });
  ops.linearWide(x, weight).sum().backward();
  expect(x.grad!.toArray()).toEqual([3, 4]);
});

it('is the same up to rounding on every instruction set', async () => {
  const program = `
    import { fromTypedArray, ops } from '@keel/torch';
    // Numbers that bfloat16 represents exactly: random ones would differ between instruction sets.
    const made = (...shape) => {
      const size = shape.reduce((a, b) => a * b);
      return fromTypedArray(Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 201 - 100) / 64), shape);
    };
    const [x, weight] = [made(7, 77).to('bfloat16'), made(37, 77).to('bfloat16')];
    const index = (values) => ops.arange(values, 'int64');
    const keys = made(5, 9, 2, 12).to('bfloat16');
    const query = made(5, 8, 12).to('bfloat16');
    const attended = ops.decodeAttention(query, keys, keys, index(5), index(5).add(1), 0.3);
    const [tokens, logprobs] = ops.draw(
      made(7, 700), ops.arange(7, 'float64').add(0.5).div(7), 0.7,
    );
    console.log(JSON.stringify([ops.linearWide(x, weight), attended, tokens, logprobs].map((one) => one.toArray())));
  `;
  const run = (set: string): Promise<number[][]> =>
    runChild(program, { environment: { ATEN_CPU_CAPABILITY: set } });
  const plain = await run('default');
  for (const set of ['avx2', 'avx512']) {
    const [products, attended, tokens, logprobs] = await run(set);
    const near = (values: number[], others: number[], tolerance: number): void => {
      for (const [i, value] of values.entries())
        expect(Math.abs(value - others[i]!)).toBeLessThan(tolerance);
    };
    near(products!, plain[0]!, 1e-4);
    near(attended!, plain[1]!, 0.02);
    expect(tokens).toEqual(plain[2]);
    near(logprobs!, plain[3]!, 1e-5);
  }
});
