// Keel's own operators, each with the same computation in plain operators.
import { cat, fromTypedArray, randn, tensor } from '../create.ts';
import type { DType } from '../dtype.ts';
import * as ops from '../ops.generated.ts';
import type { Tensor } from '../tensor.ts';
import { composedAttention, type SegmentTable } from './composed-attention.ts';

export interface Kernel {
  name: string;
  /** float32 values of the inputs to differentiate by. */
  inputs: readonly Tensor[];
  /** Inputs that stay float32 if the others are bfloat16. */
  parameters?: readonly number[];
  fused(inputs: readonly Tensor[]): Tensor;
  composed(inputs: readonly Tensor[]): Tensor;
}

const wideOf = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

function composedNorm(x: Tensor, weight: Tensor, offset: number): Tensor {
  const wide = x.to(wideOf(x.dtype));
  const rstd = wide.square().mean(-1, true).add(1e-5).rsqrt();
  return wide.mul(rstd).to(x.dtype).mul(weight.add(offset));
}

export function rmsNorm(rows: number, size: number, offset: number): Kernel {
  return {
    name: `rms_norm [${rows}, ${size}]`,
    inputs: [randn([rows, size]), randn([size])],
    fused: ([x, weight]) => ops.rmsNorm(x!, weight!, 1e-5, offset),
    composed: ([x, weight]) => composedNorm(x!, weight!, offset),
  };
}

/** Sum and norm, stacked: [2 rows, size]. */
export function addRmsNorm(rows: number, size: number, offset: number): Kernel {
  return {
    name: `add_rms_norm [${rows}, ${size}]`,
    inputs: [randn([rows, size]), randn([rows, size]), randn([size])],
    fused: ([x, update, weight]) => cat(ops.addRmsNorm(x!, update!, weight!, 1e-5, offset)),
    composed([x, update, weight]) {
      const sum = x!.add(update!);
      return cat([sum, composedNorm(sum, weight!, offset)]);
    },
  };
}

export function swiglu(rows: number, size: number): Kernel {
  return {
    name: `swiglu [${rows}, ${size}]`,
    inputs: [randn([rows, size]).mul(3), randn([rows, size])],
    fused: ([gate, up]) => ops.swiglu(gate!, up!),
    composed: ([gate, up]) => gate!.silu().mul(up!),
  };
}

export function geglu(rows: number, size: number, approximate: 'none' | 'tanh'): Kernel {
  return {
    name: `geglu [${rows}, ${size}] ${approximate}`,
    inputs: [randn([rows, size]).mul(3), randn([rows, size])],
    fused: ([gate, up]) => ops.geglu(gate!, up!, approximate),
    composed: ([gate, up]) => gate!.gelu(approximate).mul(up!),
  };
}

export function rotate(tokens: number, heads: number, size: number, half: number): Kernel {
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

/** x weight^T + bias without keel::linear. */
function plainLinear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const product = x.matmul(weight.t());
  return bias === null ? product : product.add(bias);
}

export function linear([tokens, input, out]: [number, number, number], biased: boolean): Kernel {
  return {
    name: `linear [${tokens}, ${input}] to ${out}${biased ? ' with bias' : ''}`,
    inputs: [randn([tokens, input]), randn([out, input]), ...(biased ? [randn([out])] : [])],
    fused: ([x, weight, bias]) => ops.linear(x!, weight!, bias),
    composed: ([x, weight, bias]) => plainLinear(x!, weight!, bias),
  };
}

/** @param sizes tokens, inputs, outputs and rank */
export const loraLinear = (sizes: [number, number, number, number], biased: boolean): Kernel =>
  loraLinears([sizes[0], sizes[1]], [sizes[2]], [sizes[3]], biased);

/** Layers of one input, their outputs side by side. */
export function loraLinears(
  [tokens, input]: [number, number],
  outs: readonly number[],
  ranks: readonly number[],
  biased: boolean,
): Kernel {
  const count = outs.length;
  const bias = biased ? outs.map((out) => randn([out])) : [];
  const parts = (inputs: readonly Tensor[]) => {
    const of = (kind: number): Tensor[] => inputs.slice(1 + kind * count, 1 + (kind + 1) * count);
    return { x: inputs[0]!, weights: of(0), a: of(1), b: of(2), biases: of(3) };
  };
  return {
    name: `lora_linears [${tokens}, ${input}] to [${outs}], ranks [${ranks}]${biased ? ' with bias' : ''}`,
    inputs: [
      randn([tokens, input]),
      ...outs.map((out) => randn([out, input])),
      ...ranks.map((rank) => randn([rank, input])),
      ...outs.map((out, i) => randn([out, ranks[i]!])),
      ...bias,
    ],
    parameters: Array.from({ length: 2 * count }, (_, i) => 1 + count + i),
    fused(inputs) {
      const { x, weights, a, b, biases } = parts(inputs);
      return cat(ops.loraLinears(x, weights, biases, a, b, 0.7), 1);
    },
    composed(inputs) {
      const { x, weights, a, b, biases } = parts(inputs);
      const outputs = weights.map((weight, i) => {
        const down = plainLinear(x, a[i]!.to(x.dtype)); // [T, rank]
        const low = plainLinear(down, b[i]!.to(x.dtype)).mul(0.7);
        return plainLinear(x, weight, biases[i] ?? null).add(low); // [T, out]
      });
      return cat(outputs, 1);
    },
  };
}

export function linearLogprob(
  rows: number,
  hidden: number,
  vocabulary: number,
  softcap: number,
): Kernel {
  const targets = tensor(
    Array.from({ length: rows }, (_, row) => (row * 7) % vocabulary),
    { dtype: 'int64' },
  );
  const scale = 0.9;
  return {
    name: `linear_logprob [${rows}, ${hidden}] of ${vocabulary}, softcap ${softcap}`,
    inputs: [randn([rows, hidden]), randn([vocabulary, hidden])],
    // A chunk size that does not divide the number of rows.
    fused: ([x, weight]) => ops.linearLogprob(x!, weight!, targets, scale, softcap, 4)[0],
    composed([x, weight]) {
      const logits = plainLinear(x!, weight!).to(wideOf(x!.dtype)).mul(scale);
      const capped = softcap === 0 ? logits : logits.div(softcap).tanh().mul(softcap);
      return capped.logSoftmax(1).gather(1, targets.unsqueeze(1)).squeeze(1);
    },
  };
}

/**
 * A mask of tokens, as linear_logprob takes it: [rows, ceil(vocabulary / 32)] int32.
 * @param allows whether a row may be a token
 */
export function tokenMask(
  rows: number,
  vocabulary: number,
  allows: (row: number, token: number) => boolean,
): Tensor {
  const words = Math.ceil(vocabulary / 32);
  const mask = new Int32Array(rows * words);
  for (let row = 0; row < rows; row++)
    for (let token = 0; token < vocabulary; token++)
      if (allows(row, token)) mask[row * words + (token >> 5)]! |= 1 << (token & 31);
  return fromTypedArray(mask, [rows, words]);
}

/** [rows, vocabulary] bool: the tokens that are not allowed. */
export const ruledOut = (
  rows: number,
  vocabulary: number,
  allows: (row: number, token: number) => boolean,
): Tensor =>
  tensor(
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: vocabulary }, (_, token) => (allows(row, token) ? 0 : 1)),
    ),
  ).gt(0.5);

/**
 * Log-probabilities over a part of the vocabulary: of row 0 only its target, of the others a share
 * that differs from row to row, with whole words of the mask empty.
 */
export function maskedLinearLogprob(
  rows: number,
  hidden: number,
  vocabulary: number,
  softcap: number,
): Kernel {
  const target = (row: number): number => (row * 7) % vocabulary;
  const allows = (row: number, token: number): boolean =>
    token === target(row) ||
    (row > 0 && (token * 5 + row * 3) % (row + 2) === 0 && (token + row) % 97 < 50);
  const targets = tensor(
    Array.from({ length: rows }, (_, row) => target(row)),
    { dtype: 'int64' },
  );
  const mask = tokenMask(rows, vocabulary, allows);
  const out = ruledOut(rows, vocabulary, allows);
  const scale = 0.9;
  return {
    name: `linear_logprob [${rows}, ${hidden}] of some of ${vocabulary}, softcap ${softcap}`,
    inputs: [randn([rows, hidden]), randn([vocabulary, hidden])],
    fused: ([x, weight]) => ops.linearLogprob(x!, weight!, targets, scale, softcap, 4, mask)[0],
    composed([x, weight]) {
      const logits = plainLinear(x!, weight!).to(wideOf(x!.dtype)).mul(scale);
      const capped = softcap === 0 ? logits : logits.div(softcap).tanh().mul(softcap);
      const masked = capped.maskedFill(out, Number.NEGATIVE_INFINITY);
      return masked.logSoftmax(1).gather(1, targets.unsqueeze(1)).squeeze(1);
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

export function segmentAttention(shape: AttentionShape): Kernel {
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
