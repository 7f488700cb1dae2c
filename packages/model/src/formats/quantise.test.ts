import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dequantise } from './dequantise.ts';
import { ggmlTypeNamed, type WrittenTypeName } from './ggml-types.ts';
import { halfBits } from './half-precision.ts';
import { quantise } from './quantise.ts';

/** Rows of random weights and what the Python package gguf 0.19.0 makes of them, base64. */
const vectors: Record<string, { source: string; blocks: string }> = JSON.parse(
  readFileSync(new URL('./fixtures/quantised.json', import.meta.url), 'utf8'),
);
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

function encode(type: WrittenTypeName, values: Float32Array): Uint8Array {
  const { blockElements, blockBytes } = ggmlTypeNamed(type);
  const out = new Uint8Array((values.length / blockElements) * blockBytes);
  quantise[type](values, out);
  return out;
}

function decode(type: WrittenTypeName, bytes: Uint8Array, elements: number): Float32Array {
  const out = new Float32Array(elements);
  dequantise(type, bytes, out);
  return out;
}

/** Weights like a trained model's: normal, with some large ones. */
function weights(count: number): Float32Array {
  let state = 7;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, (_, index) => {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return 0.03 * normal * (index % 977 === 0 ? 6 : 1);
  });
}

/** The error's root mean square as a share of the weights'. */
function relativeError(type: WrittenTypeName, values: Float32Array): number {
  const back = decode(type, encode(type, values), values.length);
  const squares = (one: Iterable<number>): number =>
    [...one].reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(values.map((value, i) => value - back[i]!)) / squares(values));
}

describe('quantise', () => {
  it.each(Object.keys(vectors))('gives the bytes of the Python package gguf for %s', (type) => {
    const { source, blocks } = vectors[type]!;
    const values = new Float32Array(bytesOf(source).buffer);
    expect(encode(type as WrittenTypeName, values)).toEqual(bytesOf(blocks));
  });

  // ggml_quantize_chunk of llama.cpp (2026-11) gives 0.0734, 0.0372 and 0.0187 on weights of this
  // distribution, and the other types their own values here.
  it.each<[WrittenTypeName, number]>([
    ['F32', 0],
    ['F16', 0.0003],
    ['BF16', 0.002],
    ['Q8_0', 0.006],
    ['Q4_0', 0.096],
    ['Q4_1', 0.084],
    ['Q5_0', 0.048],
    ['Q5_1', 0.041],
    ['Q4_K', 0.076],
    ['Q5_K', 0.039],
    ['Q6_K', 0.0195],
  ])('%s has a relative error of at most %f', (type, most) => {
    const error = relativeError(type, weights(256 * 64));
    expect(error).toBeLessThanOrEqual(most);
    expect(error).toBeGreaterThanOrEqual(most / 1.5);
  });

  it.each<WrittenTypeName>([
    'Q8_0',
    'Q4_0',
    'Q4_1',
    'Q5_0',
    'Q5_1',
    'Q4_K',
    'Q5_K',
    'Q6_K',
  ])('%s keeps zeros, and equal weights within a step', (type) => {
    const zeros = new Float32Array(256);
    expect(decode(type, encode(type, zeros), 256).every((value) => value === 0)).toBe(true);
    for (const value of [0.37, -0.37]) {
      const same = new Float32Array(256).fill(value);
      const back = decode(type, encode(type, same), 256);
      expect(Math.max(...back.map((one) => Math.abs(one - value)))).toBeLessThan(0.01);
    }
  });

  it.each<WrittenTypeName>([
    'Q8_0',
    'Q4_0',
    'Q5_0',
    'Q6_K',
    'Q4_K',
    'Q5_K',
  ])('%s gives its own values again', (type) => {
    const once = decode(type, encode(type, weights(256 * 8)), 256 * 8);
    const twice = decode(type, encode(type, once), 256 * 8);
    const largest = Math.max(...once.map(Math.abs));
    const worst = Math.max(...once.map((value, i) => Math.abs(value - twice[i]!)));
    expect(worst).toBeLessThan(largest * 0.02);
  });
});

describe('halfBits', () => {
  it('inverts the decoding of every half', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const values = decode('F16', new Uint8Array(bits.buffer), 65_536);
    values.forEach((value, index) => {
      if (Number.isNaN(value)) expect(halfBits(value) & 0x7e00).toBe(0x7e00);
      else if (halfBits(value) !== index) expect([value, halfBits(value)]).toEqual([value, index]);
    });
  });

  it('rounds to nearest, ties to even', () => {
    const view = new DataView(new ArrayBuffer(2));
    for (const value of weights(5000)) {
      for (const scaled of [value, value * 1e-4, value * 1e-6, value * 1e5]) {
        view.setFloat16(0, Math.fround(scaled));
        expect(halfBits(scaled)).toBe(view.getUint16(0));
      }
    }
    expect(halfBits(1 + 2 ** -11)).toBe(0x3c00);
    expect(halfBits(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(halfBits(65_519)).toBe(0x7bff);
    expect(halfBits(65_520)).toBe(0x7c00);
    expect(halfBits(2 ** -25)).toBe(0);
    expect(halfBits(-(2 ** -25) * 1.01)).toBe(0x8001);
  });
});
