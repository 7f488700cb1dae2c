import { resamplingRandom } from '@keel/statistics';
import { expect, test } from 'vitest';
import { chooseModels, pairKey } from './choose-models.ts';

test('without battles, every pair is drawn equally often', () => {
  const random = resamplingRandom(1);
  const counts = new Map<string, number>();
  for (let at = 0; at < 3000; at++) {
    const key = pairKey(...chooseModels(['a', 'b', 'c'], new Map(), random));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(3);
  // Five standard deviations of a binomial with 3000 draws of a third.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
});

test('drawn pairs even out', () => {
  const random = resamplingRandom(2);
  const met = new Map([[pairKey('a', 'b'), 50]]);
  for (let at = 0; at < 120; at++) {
    const key = pairKey(...chooseModels(['a', 'b', 'c'], met, random));
    met.set(key, (met.get(key) ?? 0) + 1);
  }
  for (const count of met.values()) expect(count).toBeGreaterThan(40);
});

test('one model cannot battle', () => {
  expect(() => chooseModels(['a'], new Map(), Math.random)).toThrow(RangeError);
});
