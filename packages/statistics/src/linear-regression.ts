// Least squares with standard errors that hold where the noise differs between rows: HC3 (MacKinnon
// and White 1985, equation 12; recommended below 250 rows by Long and Ervin 2000).
import type { Interval } from './intervals.ts';
import {
  cholesky,
  inverseFromCholesky,
  sandwich,
  solveCholesky,
  zeros,
} from './normal-equations.ts';
import { studentCumulative, studentQuantile } from './student.ts';

/** A coefficient of a regression with its interval. */
export interface Coefficient {
  /** Change of y by one unit of x. */
  value: number;
  /** HC3 */
  error: number;
  interval: Interval;
  /** Two-sided, of no effect (Student) */
  p: number;
  /** Value and interval in standard deviations: of y, by one of x. */
  standardised: number;
  standardisedInterval: Interval;
}

/** A linear regression. */
export interface LinearFit {
  rows: number;
  /** y where every x is 0 */
  intercept: number;
  /** One for each column. */
  coefficients: Coefficient[];
  /** Share of the variance of y, from 0 to 1. */
  r2: number;
}

/** A row that decides a coefficient alone has this much leverage; its noise cannot be known. */
const ALONE = 1 - 1e-9;

/**
 * y = intercept + sum of coefficients * columns.
 * @param columns [K][N]
 * @param y [N]
 * @returns null where a column is constant or depends on others, where y is constant, where one row
 *   decides a coefficient alone, and for fewer than K + 2 rows
 * @throws RangeError for lists of different lengths and for values that are not finite
 */
export function fitLinear(
  columns: readonly (readonly number[])[],
  y: readonly number[],
  { confidence = 0.95 }: { confidence?: number } = {},
): LinearFit | null {
  const rows = y.length;
  for (const values of [...columns, y]) {
    if (values.length !== rows)
      throw new RangeError(`a regression needs columns of ${rows} rows, got ${values.length}`);
    const strange = values.find((value) => !Number.isFinite(value));
    if (strange !== undefined)
      throw new RangeError(`a regression needs finite values, got ${strange}`);
  }
  const free = rows - columns.length - 1;
  const solved = free < 1 ? null : leastSquares(columns, y);
  if (solved === null) return null;
  const { xs, target, inverse, slopes } = solved;
  const size = xs.length;
  const middle = zeros(size);
  let residual = 0;
  for (let row = 0; row < rows; row++) {
    const x = xs.map(({ values }) => values[row]!);
    const error = target.values[row]! - x.reduce((sum, one, at) => sum + one * slopes[at]!, 0);
    residual += error * error;
    const leverage = 1 / rows + x.reduce((sum, one, i) => sum + one * dot(inverse[i]!, x), 0);
    if (leverage > ALONE) return null;
    const weight = (error / (1 - leverage)) ** 2;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) middle[i]![j]! += weight * x[i]! * x[j]!;
    }
  }
  const covariance = sandwich(inverse, middle);
  const quantile = studentQuantile(1 - (1 - confidence) / 2, free);
  const coefficients = slopes.map((standardised, at): Coefficient => {
    const error = Math.sqrt(Math.max(0, covariance[at]![at]!));
    const scale = target.deviation / xs[at]!.deviation;
    const half = quantile * error;
    const t = error === 0 ? Number.POSITIVE_INFINITY : Math.abs(standardised) / error;
    return {
      value: standardised * scale,
      error: error * scale,
      interval: [(standardised - half) * scale, (standardised + half) * scale],
      p: t === Number.POSITIVE_INFINITY ? 0 : 2 * (1 - studentCumulative(t, free)),
      standardised,
      standardisedInterval: [standardised - half, standardised + half],
    };
  });
  return {
    rows,
    intercept:
      target.mean - coefficients.reduce((sum, one, at) => sum + one.value * xs[at]!.mean, 0),
    coefficients,
    r2: Math.max(0, 1 - residual / (rows - 1)),
  };
}

/**
 * The slopes of y on the columns, in units of both.
 * @returns null as {@link fitLinear}, but for the leverage of rows
 */
export function slopesOf(
  columns: readonly (readonly number[])[],
  y: readonly number[],
): number[] | null {
  const solved = leastSquares(columns, y);
  if (solved === null) return null;
  const { xs, target, slopes } = solved;
  return slopes.map((slope, at) => (slope * target.deviation) / xs[at]!.deviation);
}

/** In standard deviations from the means, so that the intercept has no column. */
function leastSquares(columns: readonly (readonly number[])[], y: readonly number[]) {
  const target = scaled(y);
  const scales = columns.map(scaled);
  if (target === null || scales.some((one) => one === null)) return null;
  const xs = scales as Scaled[];
  const size = xs.length;
  const normal = zeros(size);
  const right = new Array<number>(size).fill(0);
  for (let row = 0; row < y.length; row++) {
    for (let i = 0; i < size; i++) {
      right[i]! += xs[i]!.values[row]! * target.values[row]!;
      for (let j = 0; j < size; j++) normal[i]![j]! += xs[i]!.values[row]! * xs[j]!.values[row]!;
    }
  }
  const lower = cholesky(normal);
  // The rest of a column that the others do not explain has lost its digits.
  if (lower === null || lower.some((one, at) => one[at]! ** 2 < 1e-10 * y.length)) return null;
  return { xs, target, inverse: inverseFromCholesky(lower), slopes: solveCholesky(lower, right) };
}

interface Scaled {
  mean: number;
  deviation: number;
  values: number[];
}

/** In standard deviations from the mean; null for equal values. */
function scaled(values: readonly number[]): Scaled | null {
  if (values.every((value) => value === values[0])) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return { mean, deviation, values: values.map((value) => (value - mean) / deviation) };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0);
