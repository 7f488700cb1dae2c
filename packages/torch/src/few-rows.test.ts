// Products of a few rows in float32: the loops of a generation step without bfloat16.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { noGrad } from './autograd.ts';
import { randn, tensor } from './create.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { tidy } from './scope.ts';
import { setThreads, threads } from './system.ts';
import type { Tensor } from './tensor.ts';
import { runChild } from './testing/run-child.ts';

/** As in rows/few_rows.h. */
const mostRows = 32;
const flags = readFileSync('/proc/cpuinfo', 'utf8');
/** Elsewhere LibTorch computes these products, whose bits may depend on the rows. */
const hasLoops = /\bavx2\b/.test(flags) && !flags.includes('avx512_bf16');

const threadsBefore = threads();
afterAll(() => setThreads(threadsBefore));

const shapes = [
  [1, 1, 1],
  [1, 31, 17],
  [2, 32, 5],
  [3, 64, 16],
  [4, 576, 33],
  [5, 33, 70],
  [7, 3, 49],
  [16, 1536, 129],
  [32, 7000, 21],
  [33, 40, 24],
] as const;

const worst = (a: Tensor, b: Tensor): number => a.to('float64').sub(b).abs().max().item();

describe.each(shapes)('[%i, %i] x [%i features]', (rows, inner, features) => {
  const made = tidy(() => {
    manualSeed(rows);
    const [x, weight, bias] = [randn([rows, inner]), randn([features, inner]), randn([features])];
    const [a, b] = [randn([3, inner]), randn([features, 3])];
    const product = x.to('float64').matmul(weight.to('float64').t()); // [rows, features]
    const change = x.to('float64').matmul(a.to('float64').t()).matmul(b.to('float64').t());
    const [plain, wide] = noGrad(() => [ops.linear(x, weight), ops.linearWide(x, weight)] as const);
    const biased = noGrad(() => ops.linear(x, weight, bias));
    const adapted = noGrad(() => ops.loraLinear(x, weight, null, a, b, 0.5));
    const alone = noGrad(() => ops.linear(x.narrow(0, rows - 1, 1), weight));
    setThreads(1);
    const oneThread = noGrad(() => ops.linear(x, weight));
    setThreads(2);
    const largest = product.abs().max().item();
    return {
      errors: [
        worst(plain, product) / largest,
        worst(wide, product) / largest,
        worst(biased, product.add(bias)) / largest,
        worst(adapted, product.add(change.mul(0.5))) / change.abs().max().item(),
      ],
      plain: plain.toArray(),
      last: plain.narrow(0, rows - 1, 1).toArray(),
      alone: alone.toArray(),
      oneThread: oneThread.toArray(),
    };
  });

  it('equals the product', () => {
    for (const error of made.errors) expect(error).toBeLessThan(3e-6);
  });
  if (hasLoops && rows <= mostRows) {
    it('does not depend on the threads', () => expect(made.oneThread).toEqual(made.plain));
    it('gives a row the same beside others and alone', () => expect(made.alone).toEqual(made.last));
  }
});

it('carries the gradients of rows, weight and bias', () => {
  const gradients = (dtype: 'float32' | 'float64') =>
    tidy(() => {
      manualSeed(5);
      const inputs = [randn([5, 33]), randn([17, 33]), randn([17])] as const;
      const [x, weight, bias] = inputs.map((one) => one.to(dtype).detach().setRequiresGrad());
      const seed = randn([5, 17]).to(dtype);
      ops.linear(x!, weight!, bias!).backward(seed);
      return [x!, weight!, bias!].flatMap((one) => one.grad!.toArray());
    });
  const wide = gradients('float64');
  for (const [i, value] of gradients('float32').entries())
    expect(Math.abs(value - wide[i]!)).toBeLessThan(1e-5);
});

it('is 0 for a weight of zeros, and infinite or NaN where the sum is', () => {
  const x = tensor([[1, 2, Number.POSITIVE_INFINITY]]);
  const weight = tensor([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(noGrad(() => ops.linear(x, weight)).toArray()).toEqual([
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]);
  expect(noGrad(() => ops.linear(tensor([[1, 2, 3]]), weight)).toArray()).toEqual([0, 6]);
});

it('is the same up to rounding on every instruction set', async () => {
  const program = `
    import { fromTypedArray, noGrad, ops } from '@keel/torch';
    const made = (...shape) => {
      const size = shape.reduce((a, b) => a * b);
      return fromTypedArray(Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 201 - 100) / 64), shape);
    };
    console.log(JSON.stringify(noGrad(() => ops.linear(made(7, 77), made(37, 77))).toArray()));
  `;
  const run = (set: string): Promise<number[]> =>
    runChild(program, { environment: { ATEN_CPU_CAPABILITY: set } });
  const plain = await run('default');
  for (const set of ['avx2', 'avx512'])
    for (const [i, value] of (await run(set)).entries())
      expect(Math.abs(value - plain[i]!)).toBeLessThan(1e-3);
});
