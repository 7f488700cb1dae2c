// Compares Keel's own operators with the same computation in plain operators; `composed` in float64
// is the reference.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradcheck, gradients, noGrad } from './autograd.ts';
import { cat, randn } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { Scope, tidy } from './scope.ts';
import { setThreads, threads } from './system.ts';
import {
  addRmsNorm,
  geglu,
  type Kernel,
  linear,
  linearLogprob,
  loraLinear,
  loraLinears,
  maskedLinearLogprob,
  rmsNorm,
  rotate,
  segmentAttention,
  swiglu,
} from './testing/kernel-forms.ts';

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

// Start, length and prefix: a chain three deep, a second branch, and single tokens.
const small = [0, 4, -1, 4, 3, 0, 7, 2, 1, 9, 3, 2, 12, 1, -1, 13, 2, 0, 15, 1, 4];
// Longer than a block of queries, and not a multiple of one.
const long = [0, 100, -1, 100, 37, 0, 137, 70, 1, 207, 1, 2, 208, 66, 0, 274, 11, -1];
const veryLong = [0, 30, -1, 30, 1201, 0];
const attentionForms = [64, 16, 5].flatMap((size) =>
  [
    { window: 0, softcap: 0 },
    { window: 30, softcap: 0 },
    { window: 0, softcap: 5 },
    { window: 20, softcap: 3 },
  ].map((form) => ({ table: long, heads: 6, keyHeads: 2, size, ...form })),
);

/** Created again for every test, since tensors live in its scope. */
const oddKernels: (() => Kernel)[] = [
  () => rmsNorm(7, 33, 0),
  () => rmsNorm(5, 130, 1),
  () => addRmsNorm(7, 33, 0),
  () => addRmsNorm(5, 130, 1),
  () => swiglu(7, 33),
  () => swiglu(3, 130),
  () => geglu(7, 33, 'tanh'),
  () => geglu(3, 130, 'tanh'),
  () => geglu(7, 33, 'none'),
  () => geglu(3, 130, 'none'),
  () => rotate(9, 3, 16, 8),
  () => rotate(9, 2, 13, 5),
  // In bfloat16, tokens are multiplied in pieces of fixed sizes: 700 are 512, 128, 32 and 28.
  () => linear([700, 13, 19], true),
  () => linear([11, 13, 19], false),
  () => linear([1, 5, 3], true),
  () => loraLinear([700, 13, 19, 3], true),
  () => loraLinear([11, 13, 19, 3], false),
  () => loraLinear([11, 13, 19, 3], true),
  () => loraLinear([1, 5, 3, 1], true),
  () => linearLogprob(11, 13, 67, 0),
  () => linearLogprob(11, 13, 67, 4),
  () => linearLogprob(1, 5, 17, 0),
  () => maskedLinearLogprob(11, 13, 67, 0),
  () => maskedLinearLogprob(11, 13, 67, 4),
  ...attentionForms.map((form) => () => segmentAttention(form)),
  () => segmentAttention({ table: small, heads: 4, keyHeads: 4, size: 5 }),
  () => segmentAttention({ table: [0, 1, -1], heads: 2, keyHeads: 1, size: 7 }),
  // Even sizes: in bfloat16, block products handle these if the processor supports them
  // (kernels/blocks).
  () => linear([700, 14, 50], false),
  () => linear([37, 600, 20], false),
  () => linear([17, 2, 100], true),
  () => loraLinear([301, 64, 130, 16], false),
  () => loraLinear([33, 50, 34, 3], true),
  // The adapter's gradient: ranks of one vector and of more, an odd number of tokens, several
  // blocks.
  () => loraLinear([515, 70, 36, 17], false),
  () => loraLinear([259, 18, 100, 64], true),
  // At some widths the seed of the bias's gradient nearly cancels, and only rounding is left: not
  // at these.
  () => loraLinears([301, 64], [130, 26], [16, 3], true),
  () => loraLinears([515, 70], [36, 100, 12], [8, 8, 64], false),
  () => loraLinears([40, 14], [36, 7], [8, 2], true),
  () => linearLogprob(75, 14, 6501, 0),
  () => linearLogprob(33, 20, 100, 4),
  () => linearLogprob(5, 14, 67, 0),
  () => maskedLinearLogprob(75, 14, 6501, 0),
  () => maskedLinearLogprob(33, 20, 100, 4),
  () => linear([5, 14, 20], true),
  // A segment longer than one thread handles, after a shared prefix; more groups than are summed at
  // once.
  () => segmentAttention({ table: veryLong, heads: 2, keyHeads: 1, size: 16 }),
  () => segmentAttention({ table: veryLong, heads: 2, keyHeads: 2, size: 8, window: 600 }),
  () => segmentAttention({ table: long, heads: 6, keyHeads: 1, size: 50, softcap: 4 }),
];

interface Results {
  output: number[];
  gradients: number[][];
}

/** Output and gradients of a form in this type, by all inputs or only by the requested ones. */
function resultsOf(
  { inputs, parameters = [] }: Kernel,
  form: Kernel['fused'],
  dtype: DType,
  wanted: readonly number[] = inputs.map((_, index) => index),
): Results {
  return tidy(() => {
    const typeOf = (index: number): DType =>
      dtype === 'bfloat16' && parameters.includes(index) ? 'float32' : dtype;
    const leaves = inputs.map((input, index) =>
      input.detach().clone().to(typeOf(index)).setRequiresGrad(wanted.includes(index)),
    );
    const output = form(leaves);
    const seed = noGrad(() =>
      ops.sin(ops.arange(output.size, 'float64').mul(1.7).add(0.5)).reshape(...output.shape),
    );
    const differentiated = wanted.map((index) => leaves[index]!);
    const found = gradients(output, differentiated, seed.to(output.dtype));
    return {
      output: output.detach().toArray(),
      gradients: found.map((one, index) => {
        expect(one?.dtype).toBe(typeOf(wanted[index]!));
        return one!.toArray();
      }),
    };
  });
}

const parts = ({ output, gradients: found }: Results): number[][] => [output, ...found];

const norm = (numbers: readonly number[]): number =>
  Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0));

/**
 * Norm of the difference relative to the norm of the reference, or to the output's norm if the true
 * gradient is zero.
 */
function errors(found: Results, truth: Results): number[] {
  const expected = parts(truth);
  return parts(found).map((values, part) => {
    expect(values).toHaveLength(expected[part]!.length);
    const off = values.map((value, i) => value - expected[part]![i]!);
    return norm(off) / (norm(expected[part]!) || norm(truth.output));
  });
}

describe('gradients in float64 match central differences', () => {
  const kernels: (() => Kernel)[] = [
    () => rmsNorm(3, 7, 1),
    () => addRmsNorm(3, 7, 1),
    () => swiglu(3, 7),
    () => geglu(3, 7, 'tanh'),
    () => geglu(3, 7, 'none'),
    () => rotate(3, 2, 5, 2),
    () => linear([3, 4, 5], false),
    () => linear([3, 4, 5], true),
    () => loraLinear([3, 4, 5, 2], false),
    () => loraLinear([3, 4, 5, 2], true),
    () => loraLinears([3, 4], [5, 3], [2, 1], true),
    () => linearLogprob(5, 3, 7, 0),
    () => linearLogprob(5, 3, 7, 2),
    () => maskedLinearLogprob(5, 3, 37, 0),
    () => maskedLinearLogprob(5, 3, 37, 2),
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

describe('bfloat16 is at least as exact as the composed form', () => {
  it.each(oddKernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const made = make();
    // Values that bfloat16 represents exactly, so that only the computation is measured, not the
    // rounding of its inputs.
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

describe('inputs without gradients change no other gradient', () => {
  it.each([
    ['lora_linear: the adapter alone', () => loraLinear([40, 13, 19, 3], true), [2, 3]],
    [
      'lora_linear: the adapter and what came before',
      () => loraLinear([40, 13, 19, 3], false),
      [0, 2, 3],
    ],
    [
      'lora_linears: the second layer alone',
      () => loraLinears([40, 13], [19, 5], [3, 2], true),
      [4, 6],
    ],
    ['linear: the input alone', () => linear([40, 13, 19], true), [0]],
    ['linear: the bias alone', () => linear([40, 13, 19], true), [2]],
    ['linear_logprob: the states alone', () => linearLogprob(11, 13, 67, 0), [0]],
    ['linear_logprob: the weight alone', () => linearLogprob(40, 14, 67, 0), [1]],
    ['linear_logprob under a mask: the states', () => maskedLinearLogprob(11, 13, 67, 0), [0]],
    ['linear_logprob under a mask: the weight', () => maskedLinearLogprob(40, 14, 67, 0), [1]],
    ['rms_norm: the weight alone', () => rmsNorm(7, 33, 0), [1]],
    ['add_rms_norm: the state alone', () => addRmsNorm(7, 33, 0), [0]],
    ['add_rms_norm: the update alone', () => addRmsNorm(7, 33, 0), [1]],
    ['add_rms_norm: the weight alone', () => addRmsNorm(7, 33, 1), [2]],
    ['swiglu: the gate alone', () => swiglu(7, 33), [0]],
    ['geglu: the gate alone', () => geglu(7, 33, 'tanh'), [0]],
    ['geglu: the other half alone', () => geglu(7, 33, 'none'), [1]],
    [
      'segment_attention: the keys alone',
      () => segmentAttention({ table: small, heads: 4, keyHeads: 2, size: 5 }),
      [1],
    ],
  ] as [string, () => Kernel, number[]][])('%s', (_, make, wanted) => {
    const kernel = make();
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const all = resultsOf(kernel, kernel.fused, dtype);
      const some = resultsOf(kernel, kernel.fused, dtype, wanted);
      expect(some).toEqual({
        output: all.output,
        gradients: wanted.map((index) => all.gradients[index]),
      });
    }
  });
});

describe('the number of threads does not change a bit of float32', () => {
  const kernels: (() => Kernel)[] = [
    () => rmsNorm(301, 130, 1),
    () => addRmsNorm(301, 130, 1),
    () => swiglu(301, 130),
    () => geglu(301, 130, 'tanh'),
    () => geglu(301, 130, 'none'),
    () => rotate(301, 3, 64, 32),
    () => linear([301, 64, 130], true),
    () => loraLinear([301, 64, 130, 8], true),
    ...attentionForms.map((form) => () => segmentAttention(form)),
  ];
  it.each(kernels.map((make) => [tidy(() => make().name), make] as const))('%s', (_, make) => {
    const kernel = make();
    setThreads(1);
    const one = resultsOf(kernel, kernel.fused, 'float32');
    setThreads(2);
    expect(resultsOf(kernel, kernel.fused, 'float32')).toEqual(one);
  });

  // On some processors, LibTorch's product divides the vocabulary among threads.
  it('but for the gradients of linear_logprob, by more than rounding', () => {
    const kernel = linearLogprob(37, 64, 1003, 0);
    setThreads(1);
    const one = resultsOf(kernel, kernel.fused, 'float32');
    setThreads(2);
    const two = resultsOf(kernel, kernel.fused, 'float32');
    expect(two.output).toEqual(one.output);
    for (const error of errors(two, one)) expect(error).toBeLessThan(1e-5);
  });
});

describe('add_rms_norm', () => {
  it.each([
    'float32',
    'bfloat16',
    'float64',
  ] as const)('equals the sum and its norm, bit for bit: %s', (dtype) => {
    const kernel = addRmsNorm(41, 130, 1);
    const separate: Kernel['fused'] = ([x, update, weight]) => {
      const sum = x!.add(update!);
      return cat([sum, ops.rmsNorm(sum, weight!, 1e-5, 1)]);
    };
    const found = resultsOf(kernel, kernel.fused, dtype);
    expect(found).toEqual(resultsOf(kernel, separate, dtype));
  });

  it.each([0, 1] as const)('accepts the gradient of result %d alone', (used) => {
    const kernel = addRmsNorm(7, 33, 0);
    const fused: Kernel['fused'] = ([x, update, weight]) =>
      ops.addRmsNorm(x!, update!, weight!, 1e-5)[used];
    const composed: Kernel['fused'] = (inputs) => kernel.composed(inputs).narrow(0, 7 * used, 7);
    const truth = resultsOf(kernel, composed, 'float64', [0, 1]);
    for (const error of errors(resultsOf(kernel, fused, 'float64', [0, 1]), truth)) {
      expect(error).toBeLessThan(1e-13);
    }
  });

  it('refuses shapes that do not fit', () => {
    const [x, update, weight] = [randn([5, 4]), randn([5, 3]), randn([4])];
    expect(() => ops.addRmsNorm(x, update, weight, 1e-5)).toThrow(/add_rms_norm: x \[5, 4\]/);
    expect(() => ops.addRmsNorm(x, x.to('bfloat16'), weight, 1e-5)).toThrow(/ type, got/);
    expect(() => ops.addRmsNorm(x, x, randn([3]), 1e-5)).toThrow(/weight \[3\]/);
  });
});

describe('geglu', () => {
  it.each(['none', 'tanh'] as const)('is exact to the last places of float32: %s', (form) => {
    // From where gelu vanishes to where it equals its input.
    const gate = ops.arange(20_001, 'float64').div(250).sub(40).to('float32');
    const kernel: Kernel = { ...geglu(1, 1, form), inputs: [gate, ops.onesLike(gate)] };
    const found = resultsOf(kernel, kernel.fused, 'float32');
    const truth = resultsOf(kernel, kernel.composed, 'float64');
    const worst = (off: number[]): number => Math.max(...off.map(Math.abs));
    const inputs = gate.toArray();
    const relative = truth.output.map((one, i) => (found.output[i]! - one) / (inputs[i] || 1));
    expect(worst(relative)).toBeLessThan(4e-7);
    const slopes = truth.gradients[0]!.map((one, i) => found.gradients[0]![i]! - one);
    expect(worst(slopes)).toBeLessThan(1e-6);
  });

  it('supports two forms of gelu', () => {
    const gate = randn([3, 4]);
    expect(() => ops.geglu(gate, gate, 'sigmoid')).toThrow(/'none' or 'tanh', got 'sigmoid'/);
  });
});

describe('segment_attention refuses an invalid table of segments', () => {
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
