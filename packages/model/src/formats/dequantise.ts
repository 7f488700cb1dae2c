/**
 * Block formats of ggml, dequantised as in ggml-quants.c and the Python package `gguf`. All factors
 * are exact in float64, so each weight is rounded once, to float32, and matches theirs bit for bit.
 */
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

/** 32 weights: scale d, then 32 signed bytes q; w = d q. */
const q8_0: Dequantise = (bytes, out) => {
  const table = halves();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, to = 0; to < out.length; at += 34, to += 32) {
    const scale = half(table, bytes, at);
    for (let index = 0; index < 32; index += 1) out[to + index] = scale * signed[at + 2 + index]!;
  }
};

/**
 * 32 weights: scale d, then 16 bytes of two nibbles each; the low nibbles are weights 0 to 15. w =
 * d (q - 8).
 */
const q4_0: Dequantise = (bytes, out) => {
  const table = halves();
  for (let at = 0, to = 0; to < out.length; at += 18, to += 32) {
    const scale = half(table, bytes, at);
    for (let index = 0; index < 16; index += 1) {
      const pair = bytes[at + 2 + index]!;
      out[to + index] = scale * ((pair & 15) - 8);
      out[to + 16 + index] = scale * ((pair >> 4) - 8);
    }
  }
};

/** 32 weights: scale d, minimum m, then nibbles as in Q4_0. w = d q + m. */
const q4_1: Dequantise = (bytes, out) => {
  const table = halves();
  for (let at = 0, to = 0; to < out.length; at += 20, to += 32) {
    const scale = half(table, bytes, at);
    const minimum = half(table, bytes, at + 2);
    for (let index = 0; index < 16; index += 1) {
      const pair = bytes[at + 4 + index]!;
      out[to + index] = scale * (pair & 15) + minimum;
      out[to + 16 + index] = scale * (pair >> 4) + minimum;
    }
  }
};

/** The fifth bit of weight `index`, in the 32 bits at `at`. */
const fifthBit = (bytes: Uint8Array, at: number, index: number): number =>
  ((bytes[at + (index >> 3)]! >> (index & 7)) & 1) << 4;

/** 32 weights: scale d, their fifth bits, then nibbles as in Q4_0. w = d (q - 16). */
const q5_0: Dequantise = (bytes, out) => {
  const table = halves();
  for (let at = 0, to = 0; to < out.length; at += 22, to += 32) {
    const scale = half(table, bytes, at);
    for (let index = 0; index < 16; index += 1) {
      const pair = bytes[at + 6 + index]!;
      const low = (pair & 15) | fifthBit(bytes, at + 2, index);
      const high = (pair >> 4) | fifthBit(bytes, at + 2, index + 16);
      out[to + index] = scale * (low - 16);
      out[to + 16 + index] = scale * (high - 16);
    }
  }
};

/** 32 weights: scale d, minimum m, their fifth bits, then nibbles as in Q4_0. w = d q + m. */
const q5_1: Dequantise = (bytes, out) => {
  const table = halves();
  for (let at = 0, to = 0; to < out.length; at += 24, to += 32) {
    const scale = half(table, bytes, at);
    const minimum = half(table, bytes, at + 2);
    for (let index = 0; index < 16; index += 1) {
      const pair = bytes[at + 8 + index]!;
      const low = (pair & 15) | fifthBit(bytes, at + 4, index);
      const high = (pair >> 4) | fifthBit(bytes, at + 4, index + 16);
      out[to + index] = scale * low + minimum;
      out[to + 16 + index] = scale * high + minimum;
    }
  }
};

/**
 * 256 weights in 8 groups of 32: scale d, scale of the minima dmin, 12 bytes with a 6-bit scale and
 * minimum for each group, then nibbles. Of each 32 bytes, the low nibbles are one group and the
 * high nibbles the next. w = d s q - dmin m.
 */
const q4_k: Dequantise = (bytes, out) => groupsOf32(bytes, out, 4);

/** Q4_K with a fifth bit: 32 bytes before the nibbles, of which bit g belongs to group g. */
const q5_k: Dequantise = (bytes, out) => groupsOf32(bytes, out, 5);

const groupsOf32 = (bytes: Uint8Array, out: Float32Array, bits: 4 | 5): void => {
  const table = halves();
  const nibbles = bits === 4 ? 16 : 48;
  const block = nibbles + 128;
  for (let at = 0, to = 0; to < out.length; at += block, to += 256) {
    const scale = half(table, bytes, at);
    const minimumScale = half(table, bytes, at + 2);
    for (let group = 0; group < 8; group += 1) {
      let groupScale: number;
      let groupMinimum: number;
      if (group < 4) {
        groupScale = bytes[at + 4 + group]! & 63;
        groupMinimum = bytes[at + 8 + group]! & 63;
      } else {
        // The upper four groups have their low nibbles in the last four bytes, and their two high
        // bits in the top bits of the first eight.
        const low = bytes[at + 8 + group]!;
        groupScale = (low & 15) | ((bytes[at + group]! >> 6) << 4);
        groupMinimum = (low >> 4) | ((bytes[at + 4 + group]! >> 6) << 4);
      }
      const factor = scale * groupScale;
      const minimum = minimumScale * groupMinimum;
      const from = at + nibbles + 32 * (group >> 1);
      const start = to + 32 * group;
      const shift = 4 * (group & 1);
      for (let index = 0; index < 32; index += 1) {
        const nibble = (bytes[from + index]! >> shift) & 15;
        const high = bits === 4 ? 0 : ((bytes[at + 16 + index]! >> group) & 1) << 4;
        out[start + index] = factor * (nibble | high) - minimum;
      }
    }
  }
};

/**
 * 256 weights in two halves: 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales
 * (one per 16 weights), scale d. w = d s (q - 32).
 */
const q6_k: Dequantise = (bytes, out) => {
  const table = halves();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, to = 0; to < out.length; at += 210, to += 256) {
    const scale = half(table, bytes, at + 208);
    for (let group = 0; group < 8; group += 1) {
      const inHalf = group & 3;
      const low = at + 64 * (group >> 2) + 32 * (inHalf & 1);
      const lowShift = 4 * (inHalf >> 1);
      const high = at + 128 + 32 * (group >> 2);
      const highShift = 2 * inHalf;
      const scales = at + 192 + 2 * group;
      const start = to + 32 * group;
      for (let index = 0; index < 32; index += 1) {
        const nibble = (bytes[low + index]! >> lowShift) & 15;
        const pair = (bytes[high + index]! >> highShift) & 3;
        const factor = scale * signed[scales + (index >> 4)]!;
        out[start + index] = factor * ((nibble | (pair << 4)) - 32);
      }
    }
  }
};

export const dequantise: Record<GgmlTypeName, Dequantise> = {
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
