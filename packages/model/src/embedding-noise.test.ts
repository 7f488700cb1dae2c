import { manualSeed, tidy, zeros } from '@keel/torch';
import { expect, it } from 'vitest';
import { embeddingNoise } from './embedding-noise.ts';
import { BatchBuilder } from './packed-batch.ts';

it("is uniform, within alpha / sqrt(L d) of each token's own sequence", () => {
  const builder = new BatchBuilder();
  const lengths = [16, 400];
  for (const length of lengths) builder.add(Array.from({ length }, () => 1));
  const size = 64;
  manualSeed(3);
  const noise = tidy(() =>
    embeddingNoise(builder.build(), 5, zeros([builder.size, size])).toArray(),
  );
  let from = 0;
  for (const length of lengths) {
    const bound = 5 / Math.sqrt(length * size);
    const values = noise.slice(from * size, (from + length) * size);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(largest).toBeGreaterThan(0.99 * bound);
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const square = values.reduce((sum, value) => sum + value * value, 0) / count;
    // A uniform number in [-b, b] has mean 0 and variance b^2 / 3, here within five standard
    // errors.
    expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * count));
    expect(Math.abs(square / (bound ** 2 / 3) - 1)).toBeLessThan(
      (5 * Math.sqrt(0.8)) / Math.sqrt(count),
    );
    from += length;
  }
});

it('includes the prompt in the length of an answer that continues it', () => {
  const builder = new BatchBuilder();
  const prompt = builder.add(Array.from({ length: 300 }, () => 1));
  builder.add([2, 3], prompt);
  manualSeed(4);
  const noise = tidy(() =>
    embeddingNoise(builder.build(), 5, zeros([builder.size, 512], { dtype: 'float64' })),
  );
  expect(noise.dtype).toBe('float64');
  const answer = noise
    .toArray()
    .slice(300 * 512)
    .map(Math.abs);
  const bound = 5 / Math.sqrt(302 * 512);
  expect(Math.max(...answer)).toBeLessThanOrEqual(bound);
  expect(Math.max(...answer)).toBeGreaterThan(0.99 * bound);
  noise.dispose();
});
