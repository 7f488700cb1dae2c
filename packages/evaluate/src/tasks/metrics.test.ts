import { bootstrapInterval, wilsonInterval } from '@keel/statistics';
import { expect, test } from 'vitest';
import { estimateOf, type MetricValue, shareOf, statisticOf } from './metrics.ts';

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

test("a win rate's ties are no draws of right and wrong: its interval is a bootstrap over rows", () => {
  const metric = shareOf('win_rate');
  const interval = (values: MetricValue[]) => estimateOf(metric, values)!.interval;
  const ties = [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0];
  const drawn = bootstrapInterval(ties.length, statisticOf(metric, ties));
  expect(interval(ties)).toEqual(drawn);
  const wilson = wilsonInterval(4, 8);
  expect(drawn[1] - drawn[0]).toBeLessThan(wilson[1] - wilson[0]);
  // Where no resample could vary, a bootstrap would claim certainty.
  expect(interval([0.5, 0.5, 0.5, 0.5])).toEqual(wilsonInterval(2, 4));
  expect(interval([{ sum: 1, count: 1 }, 0, 1])).toEqual(wilsonInterval(2, 3));
});
