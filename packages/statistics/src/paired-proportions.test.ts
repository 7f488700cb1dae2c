import { expect, test } from 'vitest';
import { wilsonInterval } from './intervals.ts';
import { pairedShareInterval } from './paired-proportions.ts';
import { resamplingRandom } from './resampling-random.ts';

const repeat = (value: boolean, count: number): boolean[] => new Array(count).fill(value);

/** Items that were right both times, only after, only before, and never. */
const items = (both: number, gained: number, lost: number, neither: number) => ({
  before: [
    ...repeat(true, both),
    ...repeat(false, gained),
    ...repeat(true, lost),
    ...repeat(false, neither),
  ],
  after: [
    ...repeat(true, both),
    ...repeat(true, gained),
    ...repeat(false, lost),
    ...repeat(false, neither),
  ],
});

test('is not empty if no item changed, and narrows with more items', () => {
  const width = (count: number): number => {
    const { before, after } = items(count / 2, 0, 0, count / 2);
    const [low, high] = pairedShareInterval(before, after);
    expect(low).toBeLessThan(0);
    expect(high).toBeCloseTo(-low, 12);
    return high - low;
  };
  expect(width(40)).toBeLessThan(width(10));
});

test('without correlation it combines the two intervals of Wilson', () => {
  const { before, after } = items(0, 8, 0, 0);
  const [low] = pairedShareInterval(before, after);
  const [wilsonLow] = wilsonInterval(8, 8);
  const [, wilsonHigh] = wilsonInterval(0, 8);
  expect(low).toBeCloseTo(1 - Math.hypot(1 - wilsonLow, wilsonHigh), 12);
});

test('turning before and after round turns the interval round', () => {
  const { before, after } = items(20, 12, 2, 16);
  const [low, high] = pairedShareInterval(before, after);
  const turned = pairedShareInterval(after, before);
  expect(turned[0]).toBeCloseTo(-high, 12);
  expect(turned[1]).toBeCloseTo(-low, 12);
  expect(low).toBeGreaterThan(0);
  expect(high).toBeGreaterThan(0.2);
});

test('covers the true difference in about 95% of small samples', () => {
  const random = resamplingRandom(1);
  const draws = 4000;
  let covered = 0;
  for (let draw = 0; draw < draws; draw++) {
    const pairs = Array.from({ length: 30 }, () => {
      const [was, change] = [random() < 0.5, random() < 0.15];
      return { was, is: change ? !was : was };
    });
    const [low, high] = pairedShareInterval(
      pairs.map(({ was }) => was),
      pairs.map(({ is }) => is),
    );
    if (low <= 0 && high >= 0) covered += 1;
  }
  expect(covered / draws).toBeGreaterThan(0.93);
  expect(covered / draws).toBeLessThan(1);
});

test('lists of different lengths are an error', () => {
  expect(() => pairedShareInterval([true], [])).toThrow(RangeError);
});
