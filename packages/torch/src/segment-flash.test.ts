// Attention by flash attention, on the device for tests: its kernel is plain operators with the
// arguments and the meaning that LibTorch documents for CUDA.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manualSeed, ops, randn, type Tensor, tidy } from './index.ts';
import { addShadowDevice, type ShadowDevice } from './testing/shadow-device.ts';

let shadow: ShadowDevice;
beforeAll(async () => {
  shadow = await addShadowDevice();
}, 300_000);
beforeEach(() => {
  shadow.hasFlash(true);
});

interface Attended {
  table: number[];
  size: number;
  window?: number;
  softcap?: number;
}

/** Results and gradients of query, key and value, one after the other. */
function attended(device: string, { table, size, window = 0, softcap = 0 }: Attended): number[][] {
  manualSeed(3);
  const tokens = table.at(-3)! + table.at(-2)!;
  const dtype = device === 'cpu' ? 'float32' : 'bfloat16';
  return tidy(() => {
    const made = (heads: number): Tensor =>
      randn([tokens, heads, size]).to('bfloat16').to({ device, dtype }).setRequiresGrad();
    const [query, key, value] = [made(6), made(2), made(2)];
    const found = ops.segmentAttention(query, key, value, table, size ** -0.5, window, softcap);
    const weights = randn([tokens, 6, size]).to('bfloat16').to({ device, dtype });
    found.mul(weights).sum().backward();
    return [found, query.grad!, key.grad!, value.grad!].map(
      (one) => one.detach().to('float32').reshape(-1).toArray() as number[],
    );
  });
}

const apart = (one: readonly number[], other: readonly number[]): number =>
  Math.hypot(...one.map((value, at) => value - other[at]!)) / Math.hypot(...other);

const single = [0, 70, -1];
const packed = [0, 5, -1, 5, 64, -1, 69, 1, -1];
// A prompt with two answers, one of which goes on; and a row of its own.
const shared = [0, 33, -1, 33, 8, 0, 41, 20, 0, 61, 4, 1, 65, 12, -1];

describe('flash attention on a device', () => {
  it.each<[string, Attended]>([
    ['one row', { table: single, size: 16 }],
    ['rows side by side', { table: packed, size: 16 }],
    ['rows that share a beginning', { table: shared, size: 16 }],
    ['other heads', { table: shared, size: 64 }],
    ['a window', { table: shared, size: 16, window: 7 }],
    ['a narrow window', { table: packed, size: 16, window: 2 }],
  ])('%s: results and gradients of the CPU in float32', (_, options) => {
    const expected = attended('cpu', options);
    // Also compares the kernel with the composed form, once.
    attended('shadow', options);
    shadow.hasFlash(true);
    const found = attended('shadow', options);
    expect(shadow.hasFlash(true)).toBe(1);
    for (const [at, own] of found.entries()) expect(apart(own, expected[at]!)).toBeLessThan(0.01);
  });

  it.each<[string, Attended]>([
    ['a softcap', { table: shared, size: 16, softcap: 2 }],
    ['heads that the kernel does not take', { table: shared, size: 20 }],
  ])('%s: composed', (_, options) => {
    const found = attended('shadow', options);
    expect(shadow.hasFlash(true)).toBe(0);
    const expected = attended('cpu', options);
    for (const [at, own] of found.entries()) expect(apart(own, expected[at]!)).toBeLessThan(0.02);
  });

  it.each([
    ['is not there', false, false, 24],
    ['is wrong', true, true, 32],
  ])('composed where the kernel %s', (_, exists, wrong, size) => {
    shadow.hasFlash(exists, wrong);
    const options = { table: shared, size };
    const found = attended('shadow', options);
    // It was tried once.
    expect(shadow.hasFlash(exists, wrong)).toBe(1);
    const again = attended('shadow', options);
    expect(shadow.hasFlash(true)).toBe(0);
    expect(again).toEqual(found);
    const expected = attended('cpu', options);
    for (const [at, own] of found.entries()) expect(apart(own, expected[at]!)).toBeLessThan(0.02);
  });

  it('says whether it is used', () => {
    tidy(() => {
      const like = randn([1]).to({ device: 'shadow', dtype: 'bfloat16' });
      expect(ops.attendsByFlash(like, 16)).toBe(true);
      expect(ops.attendsByFlash(like, 24)).toBe(false);
      expect(ops.attendsByFlash(like.to('float32'), 16)).toBe(false);
      expect(ops.attendsByFlash(randn([1]).to('bfloat16'), 16)).toBe(false);
    });
  });
});
