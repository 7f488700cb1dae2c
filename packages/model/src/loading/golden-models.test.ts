import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../formats/safetensors.ts';
import { goldenFamilies } from '../testing/golden-families.ts';
import { greedyTokens, logitValues } from './fixtures/forward.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder } from './named-weights.ts';

const columns = 16;
const vocabulary = 256;

function expected(folder: string) {
  using file = openSafetensors(join(folder, 'expected.safetensors'));
  const integers = (name: string): number[] => [...new Int32Array(file.read(name).buffer)];
  const ids = integers('input_ids');
  const mask = integers('attention_mask');
  const logits = new Float32Array(file.read('logits').buffer);
  const seen = mask.flatMap((flag, place) => (flag === 0 ? [] : [place]));
  return {
    sequences: [0, 1, 2].map((row) =>
      seen.filter((place) => Math.floor(place / columns) === row).map((place) => ids[place]!),
    ),
    logits: seen.flatMap((place) => [
      ...logits.subarray(place * vocabulary, (place + 1) * vocabulary),
    ]),
    greedy: integers('greedy'),
  };
}

describe('golden models', () => {
  it.each(goldenFamilies)('%s gives the logits and greedy tokens of transformers', async (name) => {
    const folder = goldenPath(`models/${name}`);
    const { sequences, logits, greedy } = expected(folder);
    const { decoder } = await loadDecoder(folder, { computeType: 'float32' });
    const found = logitValues(decoder, sequences);
    expect(found.length).toBe(logits.length);
    let worst = 0;
    for (let i = 0; i < found.length; i++)
      worst = Math.max(worst, Math.abs(found[i]! - logits[i]!));
    expect(worst).toBeLessThan(1e-4);
    expect(greedyTokens(decoder, greedy.slice(0, 13), 16)).toEqual(greedy);
    disposeDecoder(decoder);
  });

  it('gemma3 in float64 and bfloat16 stays near float32', async () => {
    const folder = goldenPath('models/gemma3');
    const { sequences, logits } = expected(folder);
    for (const [computeType, tolerance] of [
      ['float64', 1e-4],
      ['bfloat16', 0.1],
    ] as const) {
      const { decoder } = await loadDecoder(folder, { computeType });
      const found = logitValues(decoder, sequences);
      const worst = found.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - logits[i]!)),
        0,
      );
      expect(worst).toBeLessThan(tolerance);
      expect(decoder.weights.embedding.dtype).toBe(computeType);
      disposeDecoder(decoder);
    }
  });
});
