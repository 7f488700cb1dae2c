import { expect, it } from 'vitest';
import { noGrad } from './autograd.ts';
import { fromTypedArray, randn } from './create.ts';
import { native } from './native.ts';
import * as ops from './ops.generated.ts';
import { withSeed } from './random.ts';
import { tidy } from './scope.ts';
import type { Tensor } from './tensor.ts';
import { tokenMask } from './testing/kernel-forms.ts';

const formats = [
  ...[['F16', 32, 64] as const, ['Q4_0', 32, 18] as const, ['Q4_1', 32, 20] as const],
  ...[['Q5_0', 32, 22] as const, ['Q5_1', 32, 24] as const, ['Q8_0', 32, 34] as const],
  ...[['Q2_K', 256, 84] as const, ['Q3_K', 256, 110] as const, ['Q4_K', 256, 144] as const],
  ...[['Q5_K', 256, 176] as const, ['Q6_K', 256, 210] as const],
  ...[['IQ4_NL', 32, 18] as const, ['IQ4_XS', 256, 136] as const],
];
const types = ['float32', 'bfloat16'] as const;
type Type = (typeof types)[number];

/** A weight [out, 512] of random blocks, whose halves are small finite numbers. */
function randomBlocks(name: string, elements: number, bytes: number, out: number, dtype: Type) {
  const count = ((out * 512) / elements) * bytes;
  let state = 11;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  // A byte below 0x28 in the upper half of a half makes it at most 2^-5.
  const values = Uint8Array.from({ length: count }, () => next() & 0x27);
  return ops.quantised(fromTypedArray(values), name, [out, 512], dtype);
}

const nf4 = (out: number, dtype: Type, double = true): Tensor => {
  const source = withSeed(5, () => randn([out, 512]).mul(0.05));
  const [bytes, scales] = ops.quantiseNf4(source);
  if (double) return ops.quantised(bytes, 'NF4_DOUBLE', [out, 512], dtype, scales);
  const half = fromTypedArray(new Uint8Array(out * 8 * 36).fill(33));
  return ops.quantised(half, 'NF4', [out, 512], dtype);
};

const weights: [string, (out: number, dtype: Type) => Tensor][] = [
  ...formats.map(([name, elements, bytes]): [string, (out: number, dtype: Type) => Tensor] => [
    name,
    (out, dtype) => randomBlocks(name, elements, bytes, out, dtype),
  ]),
  ['NF4_DOUBLE', (out, dtype) => nf4(out, dtype)],
  ['NF4', (out, dtype) => nf4(out, dtype, false)],
];

const bits = (tensor: Tensor): number[] =>
  tensor.to('float32').detach().toArray().flat(2) as number[];

/** The result and the gradients of some leaves. */
function trained(
  run: (weight: Tensor, leaves: Tensor[]) => Tensor,
  weight: Tensor,
  shapes: number[][],
) {
  return tidy(() => {
    const leaves = withSeed(3, () =>
      shapes.map((shape) => randn(shape).to(weight.dtype).detach().setRequiresGrad()),
    );
    const result = run(weight, leaves);
    const seed = withSeed(4, () => randn(result.shape)).to(result.dtype);
    result.mul(seed).sum().backward();
    return [bits(result), ...leaves.map((leaf) => bits(leaf.grad!))];
  });
}

it.each(weights)('%s: training computes what the expanded weight gives, bit for bit', (_, make) => {
  for (const dtype of types) {
    using weight = make(96, dtype);
    using whole = ops.dequantise(weight);
    const linear = (w: Tensor, [x]: Tensor[]): Tensor => ops.linear(x!, w, null);
    const lora = (w: Tensor, [x, a, b]: Tensor[]): Tensor =>
      ops.loraLinears(x!, [w], [], [a!], [b!], 0.5)[0]!;
    const shapes = [
      [200, 512],
      [4, 512],
      [96, 4],
    ];
    expect(trained(linear, weight, shapes.slice(0, 1))).toEqual(
      trained(linear, whole, shapes.slice(0, 1)),
    );
    expect(trained(lora, weight, shapes)).toEqual(trained(lora, whole, shapes));
    const targets = fromTypedArray(
      BigInt64Array.from({ length: 200 }, (_, i) => BigInt((7 * i) % 96)),
    );
    const logprobs = (w: Tensor, [x]: Tensor[]): Tensor =>
      ops.linearLogprob(x!.mul(0.1), w, targets, 1, 0, 64)[0];
    expect(trained(logprobs, weight, shapes.slice(0, 1))).toEqual(
      trained(logprobs, whole, shapes.slice(0, 1)),
    );
    const allowed = tokenMask(
      200,
      96,
      (row, token) => token === (7 * row) % 96 || (token + row) % 5 === 0,
    );
    const masked = (w: Tensor, [x]: Tensor[]): Tensor =>
      ops.linearLogprob(x!.mul(0.1), w, targets, 1, 0, 64, allowed)[0];
    expect(trained(masked, weight, shapes.slice(0, 1))).toEqual(
      trained(masked, whole, shapes.slice(0, 1)),
    );
    targets.dispose();
    allowed.dispose();
  }
});

it.each(weights)('%s: few rows give the same sums, each independent of the others', (_, make) => {
  using weight = make(100, 'bfloat16');
  // Some formats are multiplied without rounding the weights to bfloat16.
  using exact = make(100, 'float32');
  tidy(() =>
    noGrad(() => {
      const x = withSeed(1, () => randn([9, 512])).to('bfloat16');
      const all = ops.linear(x, weight, null);
      const errors = [exact, weight].map((one) => {
        const wide = x.to('float32').matmul(ops.dequantise(one).to('float32').t()); // [9, 100]
        return all.to('float32').sub(wide).abs().max().item() / wide.abs().max().item();
      });
      expect(Math.min(...errors)).toBeLessThanOrEqual(2 ** -8);
      for (let row = 0; row < 9; row++) {
        expect(bits(ops.linear(x.narrow(0, row, 1), weight, null))).toEqual(
          bits(all.narrow(0, row, 1)),
        );
      }
    }),
  );
});

it('gives the rows of some tokens', () => {
  using weight = nf4(20, 'float32');
  tidy(() => {
    const order = fromTypedArray(BigInt64Array.from([7n, 0n, 7n, 19n]));
    expect(bits(ops.quantisedRows(weight, order))).toEqual(
      bits(ops.dequantise(weight).indexSelect(0, order)),
    );
    const outside = fromTypedArray(BigInt64Array.from([20n]));
    expect(() => ops.quantisedRows(weight, outside)).toThrow(/20.*vocabulary of 20/);
  });
});

it('has the size of its blocks, and no elements that another operator could read', () => {
  using weight = nf4(8, 'bfloat16');
  expect(weight.shape).toEqual([8, 512]);
  expect(weight.dtype).toBe('bfloat16');
  expect(ops.isQuantised(weight)).toBe(true);
  expect(ops.quantisedBytes(weight)).toBe(64 * 33 + 4 * (257 + 1));
  expect(() => weight.add(1)).toThrow();
  expect(() => weight.toArray()).toThrow();
});

it('refuses blocks that do not fit', () => {
  using bytes = fromTypedArray(new Uint8Array(18));
  expect(() => ops.quantised(bytes, 'Q4_0', [2, 32], 'float32')).toThrow(/36 bytes/);
  expect(() => ops.quantised(bytes, 'Q4_0', [1, 48], 'float32')).toThrow(/whole blocks of 32/);
  expect(() => ops.quantised(bytes, 'Q9', [1, 32], 'float32')).toThrow(/unknown block format Q9/);
  expect(() => ops.quantised(bytes, 'Q4_0', [1, 32], 'float64')).toThrow(/float32 or bfloat16/);
  using odd = randn([2, 96]);
  expect(() => ops.quantiseNf4(odd)).toThrow(/multiple of 64/);
});

it('has its blocks where others have given them memory', () => {
  tidy(() => {
    const weight = nf4(8, 'float32');
    const expected = bits(ops.dequantise(weight));
    const [bytes, scales] = ops.quantisedParts(weight);
    const memory = bytes.clone();
    const other = ops.withQuantisedParts(weight, memory, scales.clone());
    expect(bits(ops.dequantise(other))).toEqual(expected);
    native.setAllocated(memory.handle, false);
    expect(ops.quantisedBytes(other)).toBe(ops.quantisedBytes(weight));
    expect(() => ops.dequantise(other)).toThrow(/is freed.*gather/);
    native.setAllocated(memory.handle, true);
    memory.copy_(bytes);
    expect(bits(ops.dequantise(other))).toEqual(expected);
    const short = bytes.narrow(0, 1, bytes.size - 1);
    expect(() => ops.withQuantisedParts(weight, short, scales)).toThrow(/expected \d+ bytes/);
  });
});
