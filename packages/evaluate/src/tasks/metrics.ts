// Metrics of items: what one number is made of, and its interval.
import {
  bootstrapInterval,
  type Interval,
  studentQuantile,
  wilsonInterval,
} from '@keel/statistics';

/** A number, or a part of a ratio of sums: `sum` by `count`, such as nats by tokens. */
export type MetricValue = number | { sum: number; count: number };

/** A number that a task measures of each item. */
export interface Metric {
  name: string;
  /** lm-eval's filter that it reads. */
  filter: string;
  /** Whether it is a share of rows, shown in percent. */
  share: boolean;
  higherIsBetter: boolean;
  /** What becomes of the mean, such as exp(-mean) for a perplexity (default: nothing). */
  form: 'mean' | 'perplexity' | 'bits';
}

/** The metric's name in tables and gates; lm-eval's key is `name,filter`. */
export const metricId = ({ name, filter }: Pick<Metric, 'name' | 'filter'>): string =>
  filter === 'none' ? name : `${name},${filter}`;

/** The mean of the values of one row's answers; null without values. */
export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;

/** A share of rows. */
export const shareOf = (name: string, filter = 'none'): Metric => ({
  ...{ name, filter, share: true, higherIsBetter: true, form: 'mean' },
});

/** A mean of numbers. */
export const meanOf = (name: string, higherIsBetter: boolean, filter = 'none'): Metric => ({
  ...{ name, filter, share: false, higherIsBetter, form: 'mean' },
});

/** exp of minus the mean log-probability. */
export const perplexityOf = (name: string): Metric => ({
  ...{ name, filter: 'none', share: false, higherIsBetter: false, form: 'perplexity' },
});

/** A metric of all rows. */
export interface Estimate {
  value: number;
  /**
   * 95%: Wilson's for shares of rows that are each right or wrong, otherwise from a bootstrap over
   * rows; Wilson's too for shares of which no resample could vary, such as of equal values.
   */
  interval: Interval;
  /** Sample standard deviation by the root of the count; null for fewer than two rows, ratios. */
  standardError: number | null;
  /** Rows. */
  count: number;
}

const sumOf = (value: MetricValue): number => (typeof value === 'number' ? value : value.sum);
const countOf = (value: MetricValue): number => (typeof value === 'number' ? 1 : value.count);

const formOf = { mean: (x: number) => x, perplexity: (x: number) => Math.exp(-x), bits: bitsOf };

function bitsOf(mean: number): number {
  return -mean / Math.LN2;
}

/** The metric's value over rows. */
export function metricValue({ form }: Metric, values: readonly MetricValue[]): number {
  let [sum, count] = [0, 0];
  for (const value of values) {
    sum += sumOf(value);
    count += countOf(value);
  }
  return formOf[form](sum / count);
}

/**
 * @param confidence of the interval (default: 0.95)
 * @returns null without rows that it applies to
 */
export function estimateOf(
  metric: Metric,
  values: readonly MetricValue[],
  confidence?: number,
): Estimate | null {
  const counted = values.filter((value) => countOf(value) > 0);
  if (counted.length === 0) return null;
  const value = metricValue(metric, counted);
  return {
    value,
    interval: intervalOf(metric, counted, value, confidence),
    standardError: metric.form === 'mean' ? standardErrorOf(counted) : null,
    count: counted.length,
  };
}

function intervalOf(
  metric: Metric,
  values: readonly MetricValue[],
  value: number,
  confidence: number | undefined,
): Interval {
  const wilson = (): Interval => {
    const z = confidence === undefined ? undefined : normalQuantile((1 + confidence) / 2);
    return wilsonInterval(value * values.length, values.length, z);
  };
  // A tie, or the mean of several answers, is no draw of right or wrong.
  const isSure = (one: MetricValue): boolean =>
    countOf(one) === 1 && (sumOf(one) === 0 || sumOf(one) === 1);
  if (metric.share && values.every(isSure)) return wilson();
  const options = confidence === undefined ? {} : { confidence };
  const drawn = bootstrapInterval(values.length, statisticOf(metric, values), options);
  return metric.share && !(drawn[0] < drawn[1]) ? wilson() : drawn;
}

/** Student's distribution with so many degrees of freedom is normal. */
export const normalQuantile = (share: number): number => studentQuantile(share, 1e9);

/** The metric of rows that are drawn with replacement. */
export function statisticOf(
  { form }: Metric,
  values: readonly MetricValue[],
): (draws: Uint32Array) => number {
  const sums = Float64Array.from(values, sumOf);
  const counts = Float64Array.from(values, countOf);
  return (draws) => {
    let [sum, count] = [0, 0];
    for (const draw of draws) {
      sum += sums[draw]!;
      count += counts[draw]!;
    }
    return formOf[form](sum / count);
  };
}

function standardErrorOf(values: readonly MetricValue[]): number | null {
  if (values.length < 2 || values.some((one) => typeof one !== 'number')) return null;
  const numbers = values as readonly number[];
  const middle = mean(numbers)!;
  const squares = numbers.reduce((sum, one) => sum + (one - middle) ** 2, 0);
  return Math.sqrt(squares / (numbers.length - 1) / numbers.length);
}
