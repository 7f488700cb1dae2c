import { expect, test } from 'vitest';
import { estimateOf, type MetricValue, shareOf } from './metrics.ts';

test.each<[string, MetricValue[]]>([
  ['yes or no', [1, 0, 1, 1, 0, 1]],
  [
    'several in a row',
    [
      { sum: 1, count: 3 },
      { sum: 2, count: 2 },
      { sum: 0, count: 1 },
      { sum: 4, count: 5 },
    ],
  ],
])('a share of %s has wider intervals at a higher confidence', (_, values) => {
  const intervalAt = (confidence?: number) =>
    estimateOf(shareOf('acc'), values, confidence)!.interval;
  const [usual, wide] = [intervalAt(), intervalAt(0.99)];
  expect(wide[0]).toBeLessThan(usual[0]);
  expect(wide[1]).toBeGreaterThanOrEqual(usual[1]);
  for (const end of [0, 1] as const) expect(intervalAt(0.95)[end]).toBeCloseTo(usual[end], 6);
});
