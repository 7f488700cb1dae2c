// Keel's own operators against the same computation in plain operators: `composed` in float64 is the truth.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradcheck, gradients, noGrad } from './autograd.ts';
import { cat, randn, tensor } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { Scope, tidy } from './scope.ts';
import { setThreads, threads } from './system.ts';
import type { Tensor } from './tensor.ts';
import { composedAttention, type SegmentTable } from './testing/composed-attention.ts';

interface Kernel {
  name: string;
  /** float32 values of what it is differentiated by. */
  inputs: readonly Tensor[];
  /** Inputs that stay float32 when the others are bfloat16. */
  parameters?: readonly number[];
  fused(inputs: readonly Tensor[]): Tensor;
  composed(inputs: readonly Tensor[]): Tensor;
}

let scope: Scope;
const threadsBefore = threads();
beforeEach(() => {
  scope = new Scope();
  manualSeed(11);
});
afterEach(() => {
  setThreads(threadsBefore);
  scope[Symbol.dispose]();
});

const wideOf = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

function rmsNorm(rows: number, size: number, offset: number): Kernel {
  return {
    name: `rms_norm [${rows}, ${size}]`,
    inputs: [randn([rows, size]), randn([size])],
    fused: ([x, weight]) => ops.rmsNorm(x!, weight!, 1e-5, offset),
    composed([x, weight]) {
      const wide = x!.to(wideOf(x!.dtype));
      const rstd = wide.square().mean(-1, true).add(1e-5).rsqrt();
      return wide.mul(rstd).to(x!.dtype).mul(weight!.add(offset));
    },
  };
}

function swiglu(rows: number, size: number): Kernel {
  return {
    name: `swiglu [${rows}, ${size}]`,
    inputs: [randn([rows, size]).mul(3), randn([rows, size])],
    fused: ([gate, up]) => ops.swiglu(gate!, up!),
    composed: ([gate, up]) => gate!.silu().mul(up!),
  };
}

function rotate(tokens: number, heads: number, size: number, half: number): Kernel {
  const angles = randn([tokens, half], { dtype: 'float64' });
  const [cosine, sine] = [angles.cos(), angles.sin()];
  return {
    name: `rotate [${tokens}, ${heads}, ${size}], half ${half}`,
    inputs: [randn([tokens, heads, size])],
    fused([x]) {
      const wide = wideOf(x!.dtype);
      return ops.rotate(x!, cosine.to(wide), sine.to(wide));
    },
    composed([x]) {
      const [c, s] = [cosine, sine].map((one) => one.to(x!.dtype).unsqueeze(1)) as [Tensor, Tensor];
      const [low, high, rest] = x!.split([half, half, size - 2 * half], 2) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      return cat([low.mul(c).sub(high.mul(s)), high.mul(c).add(low.mul(s)), rest], 2);
    },
  };
}

function loraLinear(sizes: [number, number, number, number], biased: boolean): Kernel {
  const [tokens, input, out, rank] = sizes;
  const bias = biased ? [randn([out])] : [];
  const split = (inputs: readonly Tensor[]) => {
    const [x, weight, a, b, given] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor | undefined];
    return { x, weight, a, b, bias: given ?? null };
  };
  return {
    name: `lora_linear [${sizes}]${biased ? ' with bias' : ''}`,
    inputs: [
      randn([tokens, input]),
      randn([out, input]),
      randn([rank, input]),
      randn([out, rank]),
      ...bias,
    ],
    parameters: [2, 3],
    fused(inputs) {
      const { x, weight, a, b, bias } = split(inputs);
      return ops.loraLinear(x, weight, bias, a, b, 0.7);
    },
    composed(inputs) {
      const { x, weight, a, b, bias } = split(inputs);
      const low = x.linear(a.to(x.dtype)).linear(b.to(x.dtype)).mul(0.7);
      return x.linear(weight, bias).add(low);
    },
  };
}

function linearLogprob(rows: number, hidden: number, vocabulary: number, softcap: number): Kernel {
  const targets = tensor(
    Array.from({ length: rows }, (_, row) => (row * 7) % vocabulary),
    { dtype: 'int64' },
  );
  const scale = 0.9;
  return {
    name: `linear_logprob [${rows}, ${hidden}] of ${vocabulary}, softcap ${softcap}`,
    inputs: [randn([rows, hidden]), randn([vocabulary, hidden])],
    // A chunk that does not divide the rows.
    fused: ([x, weight]) => ops.linearLogprob(x!, weight!, targets, scale, softcap, 4)[0],
    composed([x, weight]) {
      const logits = x!.linear(weight!).to(wideOf(x!.dtype)).mul(scale);
      const capped = softcap === 0 ? logits : logits.div(softcap).tanh().mul(softcap);
      return capped.logSoftmax(1).gather(1, targets.unsqueeze(1)).squeeze(1);
    },
  };
}

interface AttentionShape {
  table: SegmentTable;
  heads: number;
  keyHeads: number;
  size: number;
  window?: number;
  softcap?: number;
}

function segmentAttention(shape: AttentionShape): Kernel {
  const { table, heads, keyHeads, size, window = 0, softcap = 0 } = shape;
  const tokens = table.at(-3)! + table.at(-2)!;
  return {
    name: `segment_attention, ${tokens} tokens, ${heads}/${keyHeads} heads of ${size}, window ${window}, softcap ${softcap}`,
    inputs: [
      randn([tokens, heads, size]),
      randn([tokens, keyHeads, size]),
      randn([tokens, keyHeads, size]),
    ],
    fused: ([q, k, v]) => ops.segmentAttention(q!, k!, v!, table, 0.3, window, softcap),
    composed: ([q, k, v]) => composedAttention(q!, k!, v!, table, { scale: 0.3, window, softcap }),
  };
}

// Start, length and prefix: a chain three deep, a second branch, and single tokens.
const small = [0, 4, -1, 4, 3, 0, 7, 2, 1, 9, 3, 2, 12, 1, -1, 13, 2, 0, 15, 1, 4];
// Longer than a block of queries, and no multiple of one.
const long = [0, 100, -1, 100, 37, 0, 137, 70, 1, 207, 1, 2, 208, 66, 0, 274, 11, -1];
const attentionForms = [64, 16, 5].flatMap((size) =>
  [
    { window: 0, softcap: 0 },
    { window: 30, softcap: 0 },
    { window: 0, softcap: 5 },
    { window: 20, softcap: 3 },
  ].map((form) => ({ table: long, heads: 6, keyHeads: 2, size, ...form })),
);

/** Made anew for every test: tensors live in its scope. */
const oddKernels: (() => Kernel)[] = [
  () => rmsNorm(7, 33, 0),
  () => rmsNorm(5, 130, 1),
  () => swiglu(7, 33),
  () => swiglu(3, 130),
  () => rotate(9, 3, 16, 8),
  () => rotate(9, 2, 13, 5),
  () => loraLinear([11, 13, 19, 3], false),
  () => loraLinear([11, 13, 19, 3], true),
  () => loraLinear([1, 5, 3, 1], true),
  () => linearLogprob(11, 13, 67, 0),
  () => linearLogprob(11, 13, 67, 4),
  () => linearLogprob(1, 5, 17, 0),
  ...attentionForms.map((form) => () => segmentAttention(form)),
  () => segmentAttention({ table: small, heads: 4, keyHeads: 4, size: 5 }),
  () => segmentAttention({ table: [0, 1, -1], heads: 2, keyHeads: 1, size: 7 }),
];

interface Results {
  output: number[];
  gradients: number[][];
}

/** Output and all gradients of a form, in this type from the same values. */
function resultsOf(
  { inputs, parameters = [] }: Kernel,
  form: Kernel['fused'],
  dtype: DType,
): Results {
  return tidy(() => {
    const typeOf = (index: number): DType =>
      dtype === 'bfloat16' && parameters.includes(index) ? 'float32' : dtype;
    const leaves = inputs.map((input, index) =>
      input.detach().clone().to(typeOf(index)).setRequiresGrad(),
    );
    const output = form(leaves);
    const seed = noGrad(() =>
      ops.sin(ops.arange(output.size, 'float64').mul(1.7).add(0.5)).reshape(...output.shape),
    );
    const found = gradients(output, leaves, seed.to(output.dtype));
    return {
      output: output.detach().toArray(),
      gradients: found.map((one, index) => {
        expect(one?.dtype).toBe(typeOf(index));
        return one!.toArray();
      }),
    };
  });
}

const parts = ({ output, gradients: found }: Results): number[][] => [output, ...found];

const norm = (numbers: readonly number[]): number =>
  Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0));

/** Norm of the difference by the norm of the truth; by the output's, where a gradient is truly zero. */
function errors(found: Results, truth: Results): number[] {
  const expected = parts(truth);
  return parts(found).map((values, part) => {
    expect(values).toHaveLength(expected[part]!.length);
    const off = values.map((value, i) => value - expected[part]![i]!);
    return norm(off) / (norm(expected[part]!) || norm(truth.output));
  });
}

describe('gradients in float64 are those of differences', () => {
  const kernels: (() => Kernel)[] = [
    () => rmsNorm(3, 7, 1),
    () => swiglu(3, 7),
    () => rotate(3, 2, 5, 2),
    () => loraLinear([3, 4, 5, 2], false),
    () => loraLinear([3, 4, 5, 2], true),
    () => linearLogprob(5, 3, 7, 0),
    () => linearLogprob(5, 3, 7, 2),
    () => segmentAttention({ table: small, heads: 4, keyHeads: 2, size: 3 }),
    () => segmentAttention({ table: small, heads: 2, keyHeads: 2, size: 2, window: 3 }),
    () => segmentAttention({ table: small, heads: 2, keyHeads: 1, size: 3, window: 4, softcap: 3 }),
  ];
  it.each(kernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const kernel = make();
    const wide = kernel.inputs.map((input) => input.to('float64').setRequiresGrad());
    gradcheck((...inputs) => kernel.fused(inputs), wide);
  });
});

describe('kernels agree with the composed form', () => {
  it.each(oddKernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const kernel = make();
    const truth = resultsOf(kernel, kernel.composed, 'float64');
    for (const error of errors(resultsOf(kernel, kernel.fused, 'float64'), truth)) {
      expect(error).toBeLessThan(1e-13);
    }
    for (const error of errors(resultsOf(kernel, kernel.fused, 'float32'), truth)) {
      expect(error).toBeLessThan(2e-6);
    }
  });
});

describe('bfloat16 is no less exact than the composed form', () => {
  it.each(oddKernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const made = make();
    // Values that bfloat16 holds: what is measured is the computation and not the rounding of its inputs.
    const kernel = { ...made, inputs: made.inputs.map((one) => one.to('bfloat16').to('float32')) };
    const truth = resultsOf(kernel, kernel.composed, 'float64');
    const fused = errors(resultsOf(kernel, kernel.fused, 'bfloat16'), truth);
    const composed = errors(resultsOf(kernel, kernel.composed, 'bfloat16'), truth);
    for (const [part, error] of fused.entries()) {
      // 1e-3: rounding the result itself to 8 bits.
      expect(error, `part ${part}`).toBeLessThan(1.15 * composed[part]! + 1e-3);
      expect(error).toBeLessThan(0.02);
    }
  });
});

describe('the number of threads does not change a bit of float32', () => {
  const kernels: (() => Kernel)[] = [
    () => rmsNorm(301, 130, 1),
    () => swiglu(301, 130),
    () => rotate(301, 3, 64, 32),
    () => loraLinear([301, 64, 130, 8], true),
    () => linearLogprob(37, 64, 1003, 0),
    ...attentionForms.map((form) => () => segmentAttention(form)),
  ];
  it.each(kernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const kernel = make();
    setThreads(1);
    const one = resultsOf(kernel, kernel.fused, 'float32');
    setThreads(2);
    expect(resultsOf(kernel, kernel.fused, 'float32')).toEqual(one);
  });
});

describe('segment_attention refuses what is no table of segments', () => {
  it.each([
    ['overlapping segments', [0, 4, -1, 3, 2, -1], /segment 1 \(start 3, length 2, prefix -1\)/],
    ['a gap', [0, 2, -1, 3, 2, -1], /segment 1 \(start 3/],
    ['a gap before the first', [1, 4, -1], /segment 0 \(start 1/],
    ['a segment that continues itself', [0, 3, -1, 3, 2, 1], /segment 1 .*prefix 1\)/],
    ['a segment that continues a later one', [0, 3, 1, 3, 2, -1], /segment 0 .*prefix 1\)/],
    ['a prefix below -1', [0, 5, -2], /prefix -2\)/],
    ['an empty segment', [0, 5, -1, 5, 0, 0], /segment 1 .*length 0/],
    ['tokens without a segment', [0, 4, -1], /cover 4 of 5 tokens/],
    ['more tokens than there are', [0, 6, -1], /segment 0 .*length 6/],
    ['half a line', [0, 5, -1, 5], /start, length and prefix/],
  ])('%s', (_, table, message) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const [q, k] = [randn([5, 2, 4], { dtype }), randn([5, 1, 4], { dtype })];
      expect(() => ops.segmentAttention(q, k, k, table, 1)).toThrow(message);
    }
  });

  it('heads that do not share keys evenly', () => {
    const [q, k] = [randn([5, 3, 4]), randn([5, 2, 4])];
    expect(() => ops.segmentAttention(q, k, k, [0, 5, -1], 1)).toThrow(/keyHeads, size/);
  });
});
