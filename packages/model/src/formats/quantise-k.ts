/**
 * ggml's types with blocks of 256 weights (their layout is in torch/native/kernels/quantised/
 * expand.inc). Each group of weights gets the scale, and the minimum, that make its weighted
 * squared error smallest over a range of candidates, as in ggml-quants.c; computed in float64, so
 * that bytes may differ from its own.
 */
import { halfBits } from './half-precision.ts';

const halfValue = (number: number): [number, number] => {
  const bits = halfBits(number);
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return [bits, bits & 0x8000 ? -size : size];
};

const between = (value: number, least: number, most: number): number =>
  value < least ? least : value > most ? most : value;

// Number of candidates on each side of the scale at which the largest weight just fits, and the
// distance of two, in steps of a code.
const CANDIDATES = 9;
const STEP = 0.1;

/** The scale of w = s q with -32 <= q < 32, for 16 weights weighted by their squares. */
const symmetricScale = (values: Float32Array, from: number): number => {
  let peak = 0;
  for (let i = from; i < from + 16; i += 1) {
    if (Math.abs(values[i]!) > Math.abs(peak)) peak = values[i]!;
  }
  if (Math.abs(peak) < 1e-15) return 0;
  let best = 0;
  let scale = 0;
  for (let candidate = -CANDIDATES; candidate <= CANDIDATES; candidate += 1) {
    const inverse = -(32 + STEP * candidate) / peak;
    let [cross, square] = [0, 0];
    for (let i = from; i < from + 16; i += 1) {
      const value = values[i]!;
      const code = between(Math.round(inverse * value), -32, 31);
      const weight = value * value;
      cross += weight * value * code;
      square += weight * code * code;
    }
    // What the best scale for these codes takes from the squared error.
    if (square > 0 && cross * cross > best * square) {
      best = (cross * cross) / square;
      scale = cross / square;
    }
  }
  return scale;
};

const scales = new Float64Array(16);
const minima = new Float64Array(8);

/** 16 groups of 16 weights: w = d s (q - 32), s of 8 bits. */
export const q6_k = (values: Float32Array, out: Uint8Array): void => {
  for (let from = 0, at = 0; from < values.length; from += 256, at += 210) {
    let peak = 0;
    for (let group = 0; group < 16; group += 1) {
      scales[group] = symmetricScale(values, from + 16 * group);
      if (Math.abs(scales[group]!) > Math.abs(peak)) peak = scales[group]!;
    }
    out.fill(0, at, at + 210);
    const [bits, scale] = halfValue(peak / -128);
    out[at + 208] = bits & 255;
    out[at + 209] = bits >> 8;
    for (let group = 0; group < 16; group += 1) {
      const own = scale === 0 ? 0 : between(Math.round(scales[group]! / scale), -128, 127);
      out[at + 192 + group] = own & 255;
      const inverse = own === 0 ? 0 : 1 / (scale * own);
      // Two groups make one of the 8 runs of 32 weights of the layout.
      const run = group >> 1;
      const low = at + 64 * (run >> 2) + 32 * (run & 1) + 16 * (group & 1);
      const high = at + 128 + 32 * (run >> 2) + 16 * (group & 1);
      for (let i = 0; i < 16; i += 1) {
        const code = 32 + between(Math.round(values[from + 16 * group + i]! * inverse), -32, 31);
        out[low + i]! |= (code & 15) << (4 * ((run & 3) >> 1));
        out[high + i]! |= (code >> 4) << (2 * (run & 3));
      }
    }
  }
};

/**
 * The scale s and minimum m >= 0 of w = s q - m with 0 <= q <= most, for 32 weights weighted by
 * their size plus the root of their mean square.
 */
const affineFit = (values: Float32Array, from: number, most: number): [number, number] => {
  let [smallest, largest, squares] = [0, values[from]!, 0];
  let [total, sum, energy] = [0, 0, 0];
  for (let i = from; i < from + 32; i += 1) {
    const value = values[i]!;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
    squares += value * value;
  }
  if (largest === smallest) return [0, -smallest];
  const typical = Math.sqrt(squares / 32);
  for (let i = from; i < from + 32; i += 1) {
    const value = values[i]!;
    const weight = typical + Math.abs(value);
    total += weight;
    sum += weight * value;
    energy += weight * value * value;
  }
  let best = Number.POSITIVE_INFINITY;
  let found: [number, number] = [(largest - smallest) / most, -smallest];
  for (let candidate = -10; candidate <= 10; candidate += 1) {
    const inverse = (most + STEP * candidate) / (largest - smallest);
    let [codeSum, codeSquares, cross] = [0, 0, 0];
    for (let i = from; i < from + 32; i += 1) {
      const value = values[i]!;
      const code = between(Math.round(inverse * (value - smallest)), 0, most);
      const weighted = (typical + Math.abs(value)) * code;
      codeSum += weighted;
      codeSquares += weighted * code;
      cross += weighted * value;
    }
    const determinant = total * codeSquares - codeSum * codeSum;
    if (determinant <= 0) continue;
    let scale = (total * cross - sum * codeSum) / determinant;
    let minimum = (codeSum * cross - codeSquares * sum) / determinant;
    if (minimum < 0) [scale, minimum] = [cross / codeSquares, 0];
    const error =
      energy +
      scale * scale * codeSquares +
      minimum * minimum * total -
      2 * scale * cross +
      2 * minimum * sum -
      2 * scale * minimum * codeSum;
    if (scale > 0 && error < best) [best, found] = [error, [scale, minimum]];
  }
  return found;
};

/** 8 groups of 32 weights: w = d s q - dmin m, s and m of 6 bits. */
const groupsOf32 = (values: Float32Array, out: Uint8Array, bits: 4 | 5): void => {
  const most = 2 ** bits - 1;
  const nibbles = bits === 4 ? 16 : 48;
  const block = nibbles + 128;
  for (let from = 0, at = 0; from < values.length; from += 256, at += block) {
    let [largestScale, largestMinimum] = [0, 0];
    for (let group = 0; group < 8; group += 1) {
      const [scale, minimum] = affineFit(values, from + 32 * group, most);
      scales[group] = scale;
      minima[group] = minimum;
      largestScale = Math.max(largestScale, scale);
      largestMinimum = Math.max(largestMinimum, minimum);
    }
    out.fill(0, at, at + block);
    const [scaleBits, scale] = halfValue(largestScale / 63);
    const [minimumBits, minimumScale] = halfValue(largestMinimum / 63);
    out.set([scaleBits & 255, scaleBits >> 8, minimumBits & 255, minimumBits >> 8], at);
    for (let group = 0; group < 8; group += 1) {
      const sixBits = (value: number, unit: number): number =>
        unit === 0 ? 0 : between(Math.round(value / unit), 0, 63);
      const ownScale = sixBits(scales[group]!, scale);
      const ownMinimum = sixBits(minima[group]!, minimumScale);
      setSixBits(out, at, group, ownScale, ownMinimum);
      const inverse = ownScale === 0 ? 0 : 1 / (scale * ownScale);
      const shift = minimumScale * ownMinimum;
      const to = at + nibbles + 32 * (group >> 1);
      for (let i = 0; i < 32; i += 1) {
        const steps = (values[from + 32 * group + i]! + shift) * inverse;
        const code = between(Math.round(steps), 0, most);
        out[to + i]! |= (code & 15) << (4 * (group & 1));
        if (bits === 5) out[at + 16 + i]! |= (code >> 4) << group;
      }
    }
  }
};

/** The two high bits of the last four groups are in the top bits of the first eight bytes. */
const setSixBits = (
  out: Uint8Array,
  at: number,
  group: number,
  scale: number,
  minimum: number,
): void => {
  if (group < 4) {
    out[at + 4 + group] = scale;
    out[at + 8 + group] = minimum;
    return;
  }
  out[at + 8 + group] = (scale & 15) | ((minimum & 15) << 4);
  out[at + group]! |= (scale >> 4) << 6;
  out[at + 4 + group]! |= (minimum >> 4) << 6;
};

export const q4_k = (values: Float32Array, out: Uint8Array): void => groupsOf32(values, out, 4);
export const q5_k = (values: Float32Array, out: Uint8Array): void => groupsOf32(values, out, 5);
