// Intervals of values that are not independent: several answers to one prompt, several votes on one
// answer. Whole clusters are drawn with replacement (Davison and Hinkley 1997, section 3.8).
import { type BootstrapOptions, bootstrapInterval, type Interval } from './intervals.ts';

/**
 * Bootstrap interval over clusters of the mean of all values.
 * @param clusters the cluster of each value, such as its prompt
 * @throws RangeError without values, with one that is not finite, and for lists of different
 *   lengths
 */
export function clusteredMeanInterval(
  values: readonly number[],
  clusters: readonly (string | number)[],
  options?: BootstrapOptions,
): Interval {
  const sums = sumsOf(values, clusters);
  return bootstrapInterval(
    sums.length,
    (draws) => {
      let [sum, count] = [0, 0];
      for (const draw of draws) {
        sum += sums[draw]!.sum;
        count += sums[draw]!.count;
      }
      return sum / count;
    },
    options,
  );
}

/**
 * Bootstrap interval over clusters of mean(after) - mean(before), where both were measured on the
 * same items.
 * @throws RangeError as {@link clusteredMeanInterval}
 */
export function clusteredDifferenceInterval(
  before: readonly number[],
  after: readonly number[],
  clusters: readonly (string | number)[],
  options?: BootstrapOptions,
): Interval {
  if (before.length !== after.length) {
    throw new RangeError(`${before.length} values before and ${after.length} after are not pairs`);
  }
  const differences = after.map((value, index) => value - before[index]!);
  return clusteredMeanInterval(differences, clusters, options);
}

function sumsOf(
  values: readonly number[],
  clusters: readonly (string | number)[],
): { sum: number; count: number }[] {
  if (values.length !== clusters.length)
    throw new RangeError(`${values.length} values do not belong to ${clusters.length} clusters`);
  const sums = new Map<string | number, { sum: number; count: number }>();
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value))
      throw new RangeError(`an interval needs finite values, got ${value}`);
    const one = sums.get(clusters[index]!) ?? { sum: 0, count: 0 };
    one.sum += value;
    one.count += 1;
    sums.set(clusters[index]!, one);
  }
  return [...sums.values()];
}
