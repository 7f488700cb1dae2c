import { resamplingRandom } from './resampling-random.ts';

/** Limits of an interval. */
export type Interval = readonly [low: number, high: number];

/** Quantile of the standard normal distribution that leaves 2.5% above it. */
export const Z_95 = 1.959963984540054;

/**
 * Wilson's score interval for a proportion (Wilson 1927, equation 4 in Brown, Cai and DasGupta
 * 2001). Unlike value ± 1.96 standard errors, it stays within [0, 1] and is valid for few or
 * extreme counts.
 *
 * @param z quantile of the standard normal distribution; 1.96 gives 95%.
 * @throws RangeError unless 0 <= successes <= trials and trials > 0.
 */
export function wilsonInterval(successes: number, trials: number, z = Z_95): Interval {
  if (!(trials > 0 && successes >= 0 && successes <= trials)) {
    throw new RangeError(`${successes} successes of ${trials} trials is not a proportion`);
  }
  const share = successes / trials;
  const z2 = z * z;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const spread = Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  const half = (z * spread) / (1 + z2 / trials);
  // At the limits the formula gives exactly 0 or 1, but rounding may not.
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
}

/** How a bootstrap draws. */
export interface BootstrapOptions {
  /** Same seed, same interval. */
  seed?: number;
  resamples?: number;
  /** Share of resamples inside the interval. */
  confidence?: number;
}

/**
 * Percentile bootstrap interval of a mean (Efron and Tibshirani 1993, chapter 13).
 *
 * @throws RangeError without values, or with one that is not finite.
 */
export function bootstrapMeanInterval(
  values: readonly number[],
  options?: BootstrapOptions,
): Interval {
  const strange = values.find((value) => !Number.isFinite(value));
  if (strange !== undefined)
    throw new RangeError(`an interval needs finite values, got ${strange}`);
  const mean = (draws: Uint32Array): number => {
    let sum = 0;
    for (const draw of draws) sum += values[draw]!;
    return sum / draws.length;
  };
  return bootstrapInterval(values.length, mean, options);
}

/**
 * Percentile bootstrap interval of any statistic of `count` items.
 *
 * @param statistic of the items with these indices, drawn with replacement; the list is reused
 *   between calls
 * @throws RangeError without items.
 */
export function bootstrapInterval(
  count: number,
  statistic: (draws: Uint32Array) => number,
  options?: BootstrapOptions,
): Interval {
  return bootstrapIntervals(count, 1, (draws) => [statistic(draws)], options)[0]!;
}

/**
 * {@link bootstrapInterval} of several statistics of the same draws.
 *
 * @param size the number of statistics
 */
export function bootstrapIntervals(
  count: number,
  size: number,
  statistics: (draws: Uint32Array) => readonly number[],
  { seed = 0, resamples = 10_000, confidence = 0.95 }: BootstrapOptions = {},
): Interval[] {
  if (count === 0) throw new RangeError('an interval needs at least one value');
  const random = resamplingRandom(seed);
  const draws = new Uint32Array(count);
  const found = Array.from({ length: size }, () => new Float64Array(resamples));
  for (let sample = 0; sample < resamples; sample++) {
    for (let draw = 0; draw < count; draw++) draws[draw] = Math.floor(random() * count);
    const values = statistics(draws);
    for (let at = 0; at < size; at++) found[at]![sample] = values[at]!;
  }
  const tail = (1 - confidence) / 2;
  return found.map((values): Interval => {
    const sorted = values.sort();
    return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
  });
}

/**
 * Bootstrap interval of mean(after - before), measured on the same items: pairs are resampled, so
 * that variation common to both sides does not widen it.
 *
 * @throws RangeError for lists of different lengths, and like `bootstrapMeanInterval`.
 */
export function pairedDifferenceInterval(
  before: readonly number[],
  after: readonly number[],
  options?: BootstrapOptions,
): Interval {
  if (before.length !== after.length) {
    throw new RangeError(`${before.length} values before and ${after.length} after are not pairs`);
  }
  const differences = after.map((value, index) => value - before[index]!);
  return bootstrapMeanInterval(differences, options);
}

/** Linear interpolation between the sorted values, like NumPy's default. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (place - below);
}
