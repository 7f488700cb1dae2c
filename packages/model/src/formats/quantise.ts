/**
 * Weights in the block formats of ggml. The types with blocks of 32 give the same bytes as the
 * Python package `gguf`; those with blocks of 256 (quantise-k.ts) are only specified by their
 * decoding, so that encoders differ in how they choose scales.
 */
import { roundToBfloat16 } from './dequantise.ts';
import type { WrittenTypeName } from './ggml-types.ts';
import { halfBits } from './half-precision.ts';
import { q4_k, q5_k, q6_k } from './quantise-k.ts';

/**
 * Writes whole blocks to `out`, starting at `out[0]`.
 * @param values finite numbers, a multiple of the block's size
 */
export type Quantise = (values: Float32Array, out: Uint8Array) => void;

const float32: Quantise = (values, out) => {
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
};

const float16: Quantise = (values, out) => {
  values.forEach((value, index) => void setHalf(out, 2 * index, value));
};

const bfloat16: Quantise = (values, out) => {
  roundToBfloat16(values, new Uint16Array(out.buffer, out.byteOffset, values.length));
};

/** @returns nothing; the half has two bytes, the lower first */
const setHalf = (out: Uint8Array, at: number, value: number): void => {
  const bits = halfBits(value);
  out[at] = bits & 255;
  out[at + 1] = bits >> 8;
};

const { fround } = Math;
const inverseOf = (scale: number): number => (scale === 0 ? 0 : fround(1 / scale));

/** Halves are rounded away from zero. */
const rounded = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);

/** d = max |w| / 127, q = w / d. */
const q8_0: Quantise = (values, out) => {
  for (let from = 0, at = 0; from < values.length; from += 32, at += 34) {
    let largest = 0;
    for (let i = 0; i < 32; i += 1) largest = Math.max(largest, Math.abs(values[from + i]!));
    const scale = fround(largest / 127);
    const inverse = inverseOf(scale);
    setHalf(out, at, scale);
    for (let i = 0; i < 32; i += 1) {
      out[at + 2 + i] = rounded(fround(values[from + i]! * inverse)) & 255;
    }
  }
};

const codes = new Uint8Array(32);

/**
 * Codes of 32 weights around zero. The weight of the largest size, with its sign, has the code 0:
 * the range reaches one step further on that side.
 * @param middle the code of zero
 * @returns the scale
 */
const centred = (values: Float32Array, from: number, middle: number): number => {
  let peak = 0;
  for (let i = 0; i < 32; i += 1) {
    const value = values[from + i]!;
    if (Math.abs(value) > Math.abs(peak)) peak = value;
  }
  const scale = fround(peak / -middle);
  const inverse = inverseOf(scale);
  for (let i = 0; i < 32; i += 1) {
    const code = Math.trunc(fround(fround(values[from + i]! * inverse) + middle + 0.5));
    codes[i] = Math.min(2 * middle - 1, code);
  }
  return scale;
};

/** Codes of 32 weights between the smallest and the largest. */
const ranged = (values: Float32Array, from: number, most: number): [number, number] => {
  let [smallest, largest] = [values[from]!, values[from]!];
  for (let i = 1; i < 32; i += 1) {
    smallest = Math.min(smallest, values[from + i]!);
    largest = Math.max(largest, values[from + i]!);
  }
  const scale = fround(fround(largest - smallest) / most);
  const inverse = inverseOf(scale);
  for (let i = 0; i < 32; i += 1) {
    const steps = fround(fround(values[from + i]! - smallest) * inverse);
    codes[i] = Math.min(most, Math.trunc(fround(steps + 0.5)));
  }
  return [scale, smallest];
};

/** The codes' low four bits: weight i and weight i + 16 share a byte. */
const setNibbles = (out: Uint8Array, at: number): void => {
  for (let i = 0; i < 16; i += 1) {
    out[at + i] = (codes[i]! & 15) | ((codes[i + 16]! & 15) << 4);
  }
};

const setFifthBits = (out: Uint8Array, at: number): void => {
  out.fill(0, at, at + 4);
  for (let i = 0; i < 32; i += 1) out[at + (i >> 3)]! |= (codes[i]! >> 4) << (i & 7);
};

const q4_0: Quantise = (values, out) => {
  for (let from = 0, at = 0; from < values.length; from += 32, at += 18) {
    setHalf(out, at, centred(values, from, 8));
    setNibbles(out, at + 2);
  }
};

const q5_0: Quantise = (values, out) => {
  for (let from = 0, at = 0; from < values.length; from += 32, at += 22) {
    setHalf(out, at, centred(values, from, 16));
    setFifthBits(out, at + 2);
    setNibbles(out, at + 6);
  }
};

const q4_1: Quantise = (values, out) => {
  for (let from = 0, at = 0; from < values.length; from += 32, at += 20) {
    const [scale, minimum] = ranged(values, from, 15);
    setHalf(out, at, scale);
    setHalf(out, at + 2, minimum);
    setNibbles(out, at + 4);
  }
};

const q5_1: Quantise = (values, out) => {
  for (let from = 0, at = 0; from < values.length; from += 32, at += 24) {
    const [scale, minimum] = ranged(values, from, 31);
    setHalf(out, at, scale);
    setHalf(out, at + 2, minimum);
    setFifthBits(out, at + 4);
    setNibbles(out, at + 8);
  }
};

export const quantise: Record<WrittenTypeName, Quantise> = {
  F32: float32,
  F16: float16,
  BF16: bfloat16,
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
};
