import { expect, it } from 'vitest';
import { BatchCollector, clusteredDifference } from './clustered-difference.ts';

const of = (rows: number[], loss: number[]) => ({ rows, values: { loss } });

it("is Student's paired interval for batches of equal size", () => {
  // Changes 1, 2, 3: mean 2, standard error 1/sqrt(3), t of 2 degrees of freedom 4.3027.
  const [low, high] = clusteredDifference(
    of([4, 4, 4], [0, 0, 0]),
    of([4, 4, 4], [1, 2, 3]),
    'loss',
  )!;
  expect(low).toBeCloseTo(2 - 4.302652729911275 / Math.sqrt(3), 8);
  expect(high).toBeCloseTo(2 + 4.302652729911275 / Math.sqrt(3), 8);
});

it('covers the true change in about 95% of samples', () => {
  let state = 7;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  let covered = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const rows = [8, 8, 8, 8, 4];
    const after = rows.map((count) => 0.3 + normal() / Math.sqrt(count));
    const [low, high] = clusteredDifference(of(rows, [0, 0, 0, 0, 0]), of(rows, after), 'loss')!;
    if (low <= 0.3 && 0.3 <= high) covered += 1;
  }
  expect(covered / 2000).toBeGreaterThan(0.93);
  expect(covered / 2000).toBeLessThan(0.97);
});

it('is null where batches differ, or where there is only one', () => {
  expect(clusteredDifference(of([4, 4], [0, 0]), of([4, 3], [1, 1]), 'loss')).toBeNull();
  expect(clusteredDifference(of([4], [0]), of([4], [1]), 'loss')).toBeNull();
  expect(clusteredDifference(of([4, 4], [0, 0]), of([4, 4], [1, 1]), 'other')).toBeNull();
});

it('recovers batches from the means so far', () => {
  const collector = new BatchCollector();
  // Batches of means 1, 4 and 2.
  collector.add(2, { loss: 1, part: Number.NaN });
  collector.add(2, { loss: 2.5, part: 1 });
  collector.add(1, { loss: 2.4, part: 1 });
  const { rows, values } = collector.batches;
  expect(rows).toEqual([2, 2, 1]);
  expect(Object.keys(values)).toEqual(['loss']);
  for (const [at, value] of [1, 4, 2].entries()) expect(values.loss![at]).toBeCloseTo(value, 12);
});
