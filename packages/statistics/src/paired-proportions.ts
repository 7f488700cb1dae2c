// The difference of two shares of the same items (Newcombe 1998, Statistics in Medicine 17, 2635,
// method 10): Wilson's intervals of both, combined with their correlation. Unlike a bootstrap, it
// is not empty if no item changed, and it is valid for few items.
import { type Interval, wilsonInterval, Z_95 } from './intervals.ts';

/**
 * Interval of share(after) - share(before) for yes/no outcomes of the same items.
 * @param z quantile of the standard normal distribution; 1.96 gives 95%
 * @throws RangeError for lists of different lengths, or without items
 */
export function pairedShareInterval(
  before: readonly boolean[],
  after: readonly boolean[],
  z = Z_95,
): Interval {
  const count = before.length;
  if (count !== after.length) {
    throw new RangeError(`${count} items before and ${after.length} after are not pairs`);
  }
  const both = after.filter((value, at) => value && before[at]).length;
  const [were, are] = [before.filter(Boolean).length, after.filter(Boolean).length];
  const [lost, gained] = [were - both, are - both];
  const neither = count - both - lost - gained;
  const [p1, p2] = [are / count, were / count];
  const [l1, u1] = wilsonInterval(are, count, z);
  const [l2, u2] = wilsonInterval(were, count, z);
  const phi = correlation(both, gained, lost, neither);
  const half = (x: number, y: number): number =>
    Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const difference = p1 - p2;
  return [difference - half(p1 - l1, u2 - p2), difference + half(u1 - p1, p2 - l2)];
}

/** Phi, with the paper's correction towards 0 if it is positive. */
function correlation(a: number, b: number, c: number, d: number): number {
  const product = (a + b) * (c + d) * (a + c) * (b + d);
  if (product === 0) return 0;
  const lead = a * d - b * c;
  const count = a + b + c + d;
  return (lead > 0 ? Math.max(0, lead - count / 2) : lead) / Math.sqrt(product);
}
