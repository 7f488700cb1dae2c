// Pearson's correlation with Fisher's interval (Fisher 1921: atanh r is nearly normal with variance
// 1 / (n - 3)), and Spearman's rank correlation with Bonett & Wright's (2000: variance (1 + r^2 /
// 2) / (n - 3)). Both intervals assume independent points.
import { type Interval, Z_95 } from './intervals.ts';

/** A correlation coefficient with its interval. */
export interface Correlation {
  value: number;
  count: number;
  /** 95% interval; null for three points or fewer */
  interval: Interval | null;
}

/**
 * Pearson's r: how close y is to a linear function of x.
 * @returns null if x or y is constant or there are fewer than two points, where r is undefined
 * @throws RangeError for lists of different lengths and for values that are not finite
 */
export function pearson(x: readonly number[], y: readonly number[]): Correlation | null {
  return correlationOf(x, y, () => 1);
}

/**
 * Spearman's rho: Pearson's r of the ranks; tied values share the mean of their ranks.
 * @returns null, and throws, like `pearson`
 */
export function spearman(x: readonly number[], y: readonly number[]): Correlation | null {
  check(x, y);
  return correlationOf(ranksOf(x), ranksOf(y), (r) => 1 + (r * r) / 2);
}

/** Ranks from 1 for the lowest value; tied values share the mean of their ranks. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function check(x: readonly number[], y: readonly number[]): void {
  if (x.length !== y.length) {
    throw new RangeError(
      `a correlation needs lists of equal length, got ${x.length} and ${y.length} values`,
    );
  }
  const strange = [...x, ...y].find((value) => !Number.isFinite(value));
  if (strange !== undefined)
    throw new RangeError(`a correlation needs finite values, got ${strange}`);
}

function correlationOf(
  x: readonly number[],
  y: readonly number[],
  variance: (r: number) => number,
): Correlation | null {
  check(x, y);
  const count = x.length;
  if (count < 2) return null;
  const [dx, dy] = [centred(x), centred(y)];
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  const size = Math.sqrt(dot(dx, dx)) * Math.sqrt(dot(dy, dy));
  if (size === 0) return null;
  const value = Math.max(-1, Math.min(1, dot(dx, dy) / size));
  if (count < 4) return { value, count, interval: null };
  const half = Z_95 * Math.sqrt(variance(value) / (count - 3));
  const centre = Math.atanh(value);
  return { value, count, interval: [Math.tanh(centre - half), Math.tanh(centre + half)] };
}

/**
 * Differences from the mean; exactly 0 for equal values, whose computed mean may have a rounding
 * error.
 */
function centred(values: readonly number[]): number[] {
  if (values.every((value) => value === values[0])) return values.map(() => 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
