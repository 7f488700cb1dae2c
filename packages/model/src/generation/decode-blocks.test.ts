import { fromTypedArray, manualSeed, noGrad, type Tensor, tidy, zeros } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test, vi } from 'vitest';
import { addLora, type LoraOptions } from '../adapters/lora.ts';
import type { Decoder } from '../decoder.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder, namedWeights } from '../loading/named-weights.ts';
import { goldenFamilies } from '../testing/golden-families.ts';
import { byteTokenizer, tinyDecoder } from '../testing/tiny-decoder.ts';
import { DecodeAttention, PrefillAttention } from './cached-attention.ts';
import { decodeBlocks } from './decode-blocks.ts';
import { generateAll } from './generate.ts';
import { KeyValueCache } from './kv-cache.ts';

const prompts = [[1], [7, 2, 9, 4, 4], Array.from({ length: 21 }, (_, i) => (i * 7) % 90)];
const steps = 6;

/**
 * Hidden states of steps after the prompts, with the same tokens regardless of the model's output:
 * [steps * B, hidden] float64.
 */
function states(decoder: Decoder, whole: boolean, adapter: string | null = null): number[] {
  const { config, computeType } = decoder;
  const cache = new KeyValueCache({
    layers: config.layers.length,
    keyValueHeads: config.keyValueHeads,
    headSize: config.headSize,
    dtype: computeType,
    device: 'cpu',
  });
  const ids = (tokens: number[]): Tensor =>
    fromTypedArray(BigInt64Array.from(tokens, BigInt), [tokens.length]);
  const result = noGrad(() =>
    tidy(() => {
      const prefixes = prompts.map(({ length }) => cache.openPrefix(length));
      const prefilled = prompts.map((tokens, index) => {
        return { tokens, prefix: prefixes[index]!, reused: null };
      });
      const attention = new PrefillAttention(prefilled, cache);
      const { tokens, positions } = attention.batch;
      decoder.hidden(ids([...tokens]), positions, attention, { adapter });
      const rows = prefixes.map((prefix) => cache.openRow(prefix, prompts.length));
      const blocks = whole ? decodeBlocks(decoder, adapter) : null;
      expect(blocks !== null).toBe(whole);
      const made = Array.from({ length: steps }, (_, step) => {
        cache.reserve(rows.length);
        const attention = new DecodeAttention(rows, cache, 'cpu', blocks);
        const positions = Int32Array.from(rows, (row) => row.prefix.length + row.length);
        const hidden = decoder.hidden(
          ids(rows.map((_, row) => (step * 13 + row * 5) % 90)),
          positions,
          attention,
          { adapter },
        );
        for (const row of rows) row.length += 1;
        return hidden.to('float64').toArray();
      }).flat();
      blocks?.dispose();
      return made;
    }),
  );
  cache.dispose();
  return result;
}

const distance = (one: readonly number[], other: readonly number[]): number =>
  Math.hypot(...one.map((value, i) => value - other[i]!)) / Math.hypot(...other);

/** The bfloat16 decoder's weights, in float32. */
function copyWeights(narrow: Decoder, wide: Decoder): void {
  const from = namedWeights(narrow);
  noGrad(() =>
    tidy(() => {
      for (const [name, weight] of namedWeights(wide)) weight.copy_(from.get(name)!.to('float32'));
    }),
  );
}

function demandNear(narrow: Decoder, wide: Decoder, adapter: string | null = null): void {
  copyWeights(narrow, wide);
  const exact = states(wide, false, adapter);
  const composed = distance(states(narrow, false, adapter), exact);
  const whole = distance(states(narrow, true, adapter), exact);
  expect(whole).toBeGreaterThan(0);
  // It rounds less often than the composed form.
  expect(whole).toBeLessThan(1.1 * composed);
}

describe('whole blocks of the golden models', () => {
  // GPT-2's norm and MLP have another form.
  const whole = goldenFamilies.filter((name) => name !== 'gpt2');
  test.each(whole)('%s: no further from float32 than the composed form', async (name) => {
    const folder = goldenPath(`models/${name}`);
    const { decoder: narrow } = await loadDecoder(folder, { computeType: 'bfloat16' });
    const { decoder: wide } = await loadDecoder(folder, { computeType: 'float32' });
    demandNear(narrow, wide);
    disposeDecoder(narrow);
    disposeDecoder(wide);
  });

  test('gpt2 is composed', async () => {
    const { decoder } = await loadDecoder(goldenPath('models/gpt2'), { computeType: 'bfloat16' });
    expect(decodeBlocks(decoder)).toBeNull();
    disposeDecoder(decoder);
  });
});

test.each([
  { name: 'odd sizes', options: { headSize: 34, heads: 5, keyValueHeads: 1 } },
  { name: 'a window and a softcap', options: { window: 4, attentionSoftcap: 3, layers: 3 } },
])('whole blocks are no further from float32 than the composed form: $name', ({ options }) => {
  demandNear(
    tinyDecoder({ ...options, dtype: 'bfloat16' }),
    tinyDecoder({ ...options, dtype: 'float32' }),
  );
});

/** Applies the same adapter, with a visible effect, to both. */
function adaptBoth(decoders: readonly Decoder[], options: Omit<LoraOptions, 'seed'>): void {
  for (const decoder of decoders) {
    manualSeed(5);
    for (const parameter of addLora(decoder, 'policy', { ...options, seed: 3 }).values())
      noGrad(() => parameter.normal_(0, 0.1));
  }
}

test.each([
  { name: 'every linear layer', lora: { rank: 4, alpha: 8, targets: 'all-linear' as const } },
  { name: 'an odd rank on some', lora: { rank: 3, alpha: 3, targets: ['value', 'down'] } },
  { name: 'one layer', lora: { rank: 20, alpha: 8, targets: 'all-linear' as const, layers: [1] } },
])('whole blocks with an adapter over $name', ({ lora }) => {
  const options = { headSize: 34, heads: 5, keyValueHeads: 1 };
  const narrow = tinyDecoder({ ...options, dtype: 'bfloat16' });
  const wide = tinyDecoder({ ...options, dtype: 'float32' });
  adaptBoth([narrow, wide], lora);
  demandNear(narrow, wide, 'policy');
  expect(distance(states(narrow, true, 'policy'), states(narrow, true))).toBeGreaterThan(0.02);
});

test('one matrix of gate and up takes its adapter too', async () => {
  const folder = goldenPath('models/phi3');
  const { decoder: narrow } = await loadDecoder(folder, { computeType: 'bfloat16' });
  const { decoder: wide } = await loadDecoder(folder, { computeType: 'float32' });
  adaptBoth([narrow, wide], { rank: 4, alpha: 8, targets: 'all-linear' });
  demandNear(narrow, wide, 'policy');
});

test('any adapter but the one that the blocks were made with is composed', () => {
  const decoder = tinyDecoder({ dtype: 'bfloat16' });
  adaptBoth([decoder], { rank: 2, alpha: 2, targets: 'all-linear' });
  const blocks = decodeBlocks(decoder)!;
  const cache = { extent: { rows: 0, capacity: 0, pool: 0 } } as unknown as KeyValueCache;
  const attention = new DecodeAttention([], cache, 'cpu', blocks);
  const layer = { index: 0, scale: 1, softcap: null, window: null };
  using state = zeros([1, decoder.config.hiddenSize], { dtype: 'bfloat16' });
  expect(attention.blocks(state, [layer], [null], 'policy')).toBeNull();
});

test('float32 and float64 are composed', () => {
  for (const dtype of ['float32', 'float64'] as const)
    expect(decodeBlocks(tinyDecoder({ dtype }))).toBeNull();
});

test('in bfloat16, a sample is identical bit for bit in any batch', async () => {
  const decoder = tinyDecoder({ dtype: 'bfloat16' });
  const blocks = vi.spyOn(DecodeAttention.prototype, 'blocks');
  const run = (batchSize: number): ReturnType<typeof generateAll> =>
    generateAll({ decoder, tokenizer: byteTokenizer }, prompts, {
      batchSize,
      samplesPerPrompt: 3,
      maxNewTokens: 12,
      logprobs: true,
      // Each prompt alone, so that its pass has the same rows.
      prefillTokens: 1,
    });
  const all = await run(9);
  for (const batchSize of [1, 4]) expect(await run(batchSize)).toEqual(all);
  expect(blocks.mock.results.every(({ value }) => value !== null)).toBe(true);
  blocks.mockRestore();
});
