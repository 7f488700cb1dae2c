import { describe, expect, test } from 'vitest';
import { downsample } from './downsample.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
/** Deterministic noise with a spike. */
const noise = (step: number): number => (step === 777 ? 1e6 : Math.sin(step * 12.9898) * 43);

describe('downsample', () => {
  test('few points are all kept', () => {
    const steps = range(100);
    const found = downsample(steps, steps.map(noise), { points: 100 });
    expect(found).toEqual({ steps, values: steps.map(noise), nonFinite: [] });
  });

  test('many points keep every extreme, the first and the last', () => {
    const steps = range(50_000);
    const found = downsample(steps, steps.map(noise), { points: 1000 });
    expect(found.steps.length).toBeLessThanOrEqual(1002);
    expect(found.steps.length).toBeGreaterThan(400);
    expect([found.steps[0], found.steps.at(-1)]).toEqual([1, 50_000]);
    expect(Math.max(...found.values)).toBe(1e6);
    expect(Math.min(...found.values)).toBe(Math.min(...steps.map(noise)));
    expect(found.values).toEqual(found.steps.map(noise));
    expect(found.steps).toEqual([...new Set(found.steps)].sort((a, b) => a - b));
  });

  test('points that were shown stay while more are added', () => {
    const show = (count: number): number[] =>
      downsample(range(count), range(count).map(noise), { points: 1000 }).steps;
    const before = show(40_000);
    const after = show(40_500);
    // Except in the stretch that was not full, and the last point.
    const width = 128;
    const settled = before.filter((step) => step < 40_000 - width);
    expect(after.filter((step) => step < 40_000 - width)).toEqual(settled);
  });

  test('a part is shown with its own detail', () => {
    const steps = range(50_000);
    const found = downsample(steps, steps.map(noise), { from: 700, to: 800, points: 1000 });
    expect(found.steps).toEqual(range(101).map((one) => one + 699));
    expect(downsample(steps, steps, { from: 60_000, points: 10 }).steps).toEqual([]);
  });

  test('values that are not finite are named, and not drawn', () => {
    const values = [1, Number.NaN, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY];
    expect(downsample(range(5), values)).toEqual({
      steps: [1, 4],
      values: [1, 2],
      nonFinite: [
        { step: 2, value: 'NaN' },
        { step: 3, value: 'Infinity' },
        { step: 5, value: '-Infinity' },
      ],
    });
    const none = range(5000).map(() => Number.NaN);
    const found = downsample(range(5000), none, { points: 100 });
    expect(found.steps).toEqual([]);
    expect(found.nonFinite.length).toBeLessThanOrEqual(50);
    expect(found.nonFinite[0]).toEqual({ step: 1, value: 'NaN' });
  });
});
