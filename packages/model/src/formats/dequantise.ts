/**
 * Elements of GGUF tensors as float32. Blocks are expanded by the native loops that also serve
 * products with weights that stay quantised (torch/native/kernels/quantised), and match the Python
 * package `gguf` bit for bit.
 */
import { fromTypedArray, ops, tidy } from '@keel/torch';
import type { GgmlTypeName } from './ggml-types.ts';

/** Reads `out.length` elements of whole blocks that start at `bytes[0]`. */
export type Dequantise = (bytes: Uint8Array, out: Float32Array) => void;

let halfTable: Float32Array | null = null;

/** The float32 value of every half-precision number, indexed by its 16 bits. */
const halves = (): Float32Array => {
  if (halfTable) return halfTable;
  halfTable = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits += 1) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    halfTable[bits] = bits & 0x8000 ? -size : size;
  }
  return halfTable;
};

const half = (table: Float32Array, bytes: Uint8Array, at: number): number =>
  table[bytes[at]! | (bytes[at + 1]! << 8)]!;

const float32: Dequantise = (bytes, out) => {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
};

const float16: Dequantise = (bytes, out) => {
  const table = halves();
  for (let index = 0; index < out.length; index += 1) out[index] = half(table, bytes, 2 * index);
};

const bfloat16: Dequantise = (bytes, out) => {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let index = 0; index < out.length; index += 1) {
    bits[index] = (bytes[2 * index]! << 16) | (bytes[2 * index + 1]! << 24);
  }
};

const blocks =
  (type: GgmlTypeName): Dequantise =>
  (bytes, out) =>
    tidy(() => {
      const weight = ops.quantised(fromTypedArray(bytes), type, [1, out.length], 'float32');
      out.set(ops.dequantise(weight).toTypedArray() as Float32Array);
    });

const dense: Partial<Record<GgmlTypeName, Dequantise>> = {
  F32: float32,
  F16: float16,
  BF16: bfloat16,
};

export const dequantise = (type: GgmlTypeName, bytes: Uint8Array, out: Float32Array): void =>
  (dense[type] ?? blocks(type))(bytes, out);

/** Rounds float32 to bfloat16, to nearest with ties to even. NaN stays NaN. */
export const roundToBfloat16 = (values: Float32Array, out: Uint16Array): void => {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < values.length; index += 1) {
    const word = bits[index]!;
    out[index] =
      (word & 0x7fffffff) > 0x7f800000
        ? (word >>> 16) | 0x40
        : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
};
