import { describe, expect, it } from 'vitest';
import { backwardFlops, forwardFlops, modelSizes, totalFlops } from './model-flops.ts';
import { BatchBuilder } from './packed-batch.ts';
import { tinyDecoder } from './testing/tiny-decoder.ts';

// Hidden 20, intermediate 36, 4 query and 2 key heads of 6, 2 layers, 257 tokens. By hand, a layer
// has 20*24 + 2*20*12 + 24*20 + 2*20*36 + 36*20 = 3600 weights, and the head 257*20 = 5140.
const batch = (): ReturnType<BatchBuilder['build']> => {
  const builder = new BatchBuilder();
  const prompt = builder.add([1, 2, 3]);
  builder.add([4, 5], prompt);
  builder.add([6], prompt);
  return builder.build();
};

describe('forwardFlops', () => {
  it('counts every weight twice per token, the head on scored tokens, and attention over visible keys', () => {
    const sizes = modelSizes(tinyDecoder());
    expect(sizes).toMatchObject({ linear: 7200, head: 5140, attentionWidth: 24 });
    const flops = forwardFlops(sizes, batch(), 3);
    expect(flops.products).toBe(2 * (7200 * 6 + 5140 * 3));
    // Positions 0 1 2, 3 4, 3 see 1 + 2 + 3 + 4 + 5 + 4 = 19 keys in each of two layers; two
    // products.
    expect(flops.attention).toBe(2 * 2 * 24 * 19 * 2);
  });

  it('a window limits what a query sees', () => {
    const sizes = modelSizes(tinyDecoder({ window: 2 }));
    // The first layer has the window: 1 + 2 + 2 + 2 + 2 + 2 = 11 keys.
    expect(forwardFlops(sizes, batch(), 3).attention).toBe(2 * 2 * 24 * (11 + 19));
  });
});

it('backward is one product for frozen weights, two for trained ones, and two in attention', () => {
  const forward = { products: 10, attention: 3 };
  expect(backwardFlops(forward, { trainedWeights: false })).toEqual({ products: 10, attention: 6 });
  expect(backwardFlops(forward, { trainedWeights: true })).toEqual({ products: 20, attention: 6 });
  expect(totalFlops(forward)).toBe(13);
});
