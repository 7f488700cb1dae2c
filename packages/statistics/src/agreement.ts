// How much raters agree beyond chance. Ratings are [raters, units], categories numbers, null where
// a rater gave none. All coefficients are 1 for full agreement and 0 for the agreement expected by
// chance. They differ in what is expected by chance:
//   Cohen 1960 and 1968 (weighted): two raters, each with their own shares of the categories
//   Fleiss 1971: all raters share the categories' shares; with missing ratings as Gwet 2014, ch. 2
//   Krippendorff 2011: the same, corrected for few units, with a distance between categories
//   Gwet 2008 (AC1): chance agreement only on units that are hard; stays high where one category
//     is much more frequent than the others, where kappa falls
// Intervals are over units: percentile bootstrap intervals, or of the jackknife (Efron and
// Tibshirani 1993, chapter 11) for many units, where a bootstrap takes long and both agree. Units
// with the same ratings are one pattern with a weight, so that a coefficient takes as long for many
// units as for few.
import { type BootstrapOptions, bootstrapInterval, type Interval, Z_95 } from './intervals.ts';

/** Categories by rater and unit; null: not rated. [raters, units] */
export type RatingTable = readonly (readonly (number | null)[])[];

/** An agreement coefficient with its interval. */
export interface Agreement {
  /** null where it is undefined: all ratings are the same, or no unit was rated twice. */
  value: number | null;
  /** 95% over units; null where the value is undefined */
  interval: Interval | null;
  /** Units with at least two ratings */
  units: number;
}

/** Distance between categories, squared, in Krippendorff's alpha. */
export type MeasurementLevel = 'nominal' | 'ordinal' | 'interval' | 'ratio';
/** Weight of a disagreement in Cohen's kappa: all the same, or by steps between categories. */
export type KappaWeights = 'none' | 'linear' | 'quadratic';

/** How the interval is found; `auto`: bootstrap up to 5,000 units. */
export type AgreementInterval = 'auto' | 'bootstrap' | 'jackknife';

const MOST_BOOTSTRAPPED = 5000;

/** Of patterns of ratings with their numbers of units, and the number of all. */
type Statistic = (
  patterns: readonly (readonly number[])[],
  weights: ArrayLike<number>,
  total: number,
) => number | null;

/**
 * Cohen's kappa of two raters, on the units that both rated.
 * @param categories all categories in their order (default: those that occur, sorted)
 * @throws RangeError for lists of different lengths, and for a category that is not listed
 */
export function cohenKappa(
  first: readonly (number | null)[],
  second: readonly (number | null)[],
  { weights = 'none', ...options }: { weights?: KappaWeights } & AgreementOptions = {},
): Agreement {
  const rated = ratedUnits([first, second], 2, options.counts);
  const { units } = rated;
  const order = categoriesOf(units, options.categories);
  const cost = (i: number, j: number): number =>
    weights === 'none' ? Number(i !== j) : Math.abs(i - j) ** (weights === 'linear' ? 1 : 2);
  const kappa: Statistic = (patterns, counts, total) => {
    const shares = [0, 1].map((rater) => {
      const sums = order.map(() => 0);
      for (const [at, unit] of patterns.entries())
        sums[order.indexOf(unit[rater]!)]! += counts[at]! / total;
      return sums;
    });
    let observed = 0;
    for (const [at, unit] of patterns.entries())
      observed += (counts[at]! * cost(order.indexOf(unit[0]!), order.indexOf(unit[1]!))) / total;
    let expected = 0;
    for (const [i, a] of shares[0]!.entries())
      for (const [j, b] of shares[1]!.entries()) expected += a * b * cost(i, j);
    return expected === 0 ? null : 1 - observed / expected;
  };
  return measured(rated, kappa, options);
}

/** Fleiss' kappa; a unit may have any number of ratings. @throws RangeError as `cohenKappa` */
export function fleissKappa(ratings: RatingTable, options: AgreementOptions = {}): Agreement {
  return chanceCorrected(ratings, options, (shares) =>
    shares.reduce((sum, share) => sum + share * share, 0),
  );
}

/** Gwet's AC1; a unit may have any number of ratings. @throws RangeError as `cohenKappa` */
export function gwetAc1(ratings: RatingTable, options: AgreementOptions = {}): Agreement {
  return chanceCorrected(ratings, options, (shares) =>
    shares.length < 2
      ? 1
      : shares.reduce((sum, share) => sum + share * (1 - share), 0) / (shares.length - 1),
  );
}

/** How the interval of an agreement coefficient is drawn. */
export interface AgreementOptions extends BootstrapOptions {
  /** All categories (default: those that occur). */
  categories?: readonly number[];
  /** How many units have the ratings of each one in the table (default: 1). [units] */
  counts?: readonly number[];
  interval?: AgreementInterval;
}

/**
 * Krippendorff's alpha: 1 - (n - 1) sum o_ck d_ck / sum n_c n_k d_ck over the coincidences o of the
 * values c and k.
 * @throws RangeError for lists of different lengths, and for ratios of values below 0
 */
export function krippendorffAlpha(
  ratings: RatingTable,
  level: MeasurementLevel,
  options: Omit<AgreementOptions, 'categories'> = {},
): Agreement {
  const rated = ratedUnits(ratings, 2, options.counts);
  const { units } = rated;
  const values = categoriesOf(units);
  if (level === 'ratio' && values.some((value) => value < 0))
    throw new RangeError('ratios need values of at least 0');
  const alpha: Statistic = (patterns, weights) => {
    const totals = values.map(() => 0);
    const coincidences = values.map(() => values.map(() => 0));
    let n = 0;
    for (const [at, unit] of patterns.entries()) {
      const weight = weights[at]!;
      n += weight * unit.length;
      const places = unit.map((value) => values.indexOf(value));
      for (const [i, c] of places.entries()) {
        totals[c]! += weight;
        for (const [j, k] of places.entries())
          if (i !== j) coincidences[c]![k]! += weight / (unit.length - 1);
      }
    }
    const distance = squaredDistance(level, values, totals);
    let observed = 0;
    let expected = 0;
    for (const c of values.keys()) {
      for (const k of values.keys()) {
        observed += coincidences[c]![k]! * distance(c, k);
        expected += totals[c]! * totals[k]! * distance(c, k);
      }
    }
    return expected === 0 ? null : 1 - ((n - 1) * observed) / expected;
  };
  return measured(sorted(rated), alpha, options);
}

function squaredDistance(
  level: MeasurementLevel,
  values: readonly number[],
  totals: readonly number[],
): (c: number, k: number) => number {
  return (c, k) => {
    if (c === k) return 0;
    const [low, high] = c < k ? [c, k] : [k, c];
    const [a, b] = [values[low]!, values[high]!];
    switch (level) {
      case 'nominal':
        return 1;
      case 'interval':
        return (b - a) ** 2;
      case 'ratio':
        return ((b - a) / (b + a)) ** 2;
      case 'ordinal': {
        let between = -(totals[low]! + totals[high]!) / 2;
        for (let g = low; g <= high; g++) between += totals[g]!;
        return between ** 2;
      }
    }
  };
}

/** (observed - by chance) / (1 - by chance), from the categories' mean shares. */
function chanceCorrected(
  ratings: RatingTable,
  options: AgreementOptions,
  byChance: (shares: readonly number[]) => number,
): Agreement {
  const rated = ratedUnits(ratings, 1, options.counts);
  const { units } = rated;
  const order = categoriesOf(units, options.categories);
  const statistic: Statistic = (patterns, weights, total) => {
    const shares = order.map(() => 0);
    let observed = 0;
    let rated = 0;
    for (const [at, unit] of patterns.entries()) {
      const weight = weights[at]!;
      const counts = order.map((category) => unit.filter((value) => value === category).length);
      for (const [k, count] of counts.entries())
        shares[k]! += (weight * count) / unit.length / total;
      if (unit.length < 2) continue;
      rated += weight;
      const pairs = counts.reduce((sum, count) => sum + count * (count - 1), 0);
      observed += (weight * pairs) / (unit.length * (unit.length - 1));
    }
    const chance = byChance(shares);
    if (rated === 0 || 1 - chance < 1e-12) return null;
    return (observed / rated - chance) / (1 - chance);
  };
  return measured(sorted(rated), statistic, options);
}

/** Units with enough ratings, and how often each occurs. */
interface Rated {
  units: readonly number[][];
  counts: readonly number[];
}

function ratedUnits(ratings: RatingTable, least: number, counts?: readonly number[]): Rated {
  const all = unitsOf(ratings);
  if (counts !== undefined && counts.length !== all.length)
    throw new RangeError(
      `${all.length} units have ${counts.length} counts: these are not the same`,
    );
  const kept = all.map((unit) => unit.length >= least);
  return {
    units: all.filter((_, at) => kept[at]),
    counts: counts?.filter((_, at) => kept[at]) ?? [],
  };
}

/** With the ratings of each unit in order, so that equal ones are one pattern. */
function sorted(rated: Rated): Rated {
  for (const unit of rated.units) unit.sort((a, b) => a - b);
  return rated;
}

function measured(
  rated: Rated,
  statistic: Statistic,
  { interval = 'auto', categories: _, counts: __, ...bootstrap }: AgreementOptions,
): Agreement {
  const { patterns, counts, places } = patternsOf(rated);
  const total = places.length;
  const value = total === 0 ? null : statistic(patterns, counts, total);
  const units = patterns.reduce((sum, one, at) => sum + (one.length < 2 ? 0 : counts[at]!), 0);
  if (value === null) return { value, interval: null, units };
  // A sample in which all ratings are the same is full agreement.
  const of = (weights: ArrayLike<number>, size: number): number =>
    statistic(patterns, weights, size) ?? 1;
  if (interval === 'jackknife' || (interval === 'auto' && total > MOST_BOOTSTRAPPED))
    return { value, interval: jackknife(value, counts, total, of), units };
  const weights = new Float64Array(patterns.length);
  const drawn = (draws: Uint32Array): number => {
    weights.fill(0);
    for (let at = 0; at < draws.length; at++) weights[places[draws[at]!]!]! += 1;
    return of(weights, draws.length);
  };
  const found = bootstrapInterval(total, drawn, { resamples: 2000, ...bootstrap });
  return { value, interval: found, units };
}

/** Units with the same ratings, the number of each, and the pattern of every unit. */
function patternsOf({ units, counts: given }: Rated) {
  const known = new Map<string, number>();
  const patterns: (readonly number[])[] = [];
  const counts: number[] = [];
  const total = given.length === 0 ? units.length : given.reduce((sum, one) => sum + one, 0);
  const places = new Uint32Array(total);
  let filled = 0;
  for (const [at, unit] of units.entries()) {
    const key = unit.join(' ');
    let place = known.get(key);
    if (place === undefined) {
      place = patterns.length;
      known.set(key, place);
      patterns.push(unit);
      counts.push(0);
    }
    const count = given[at] ?? 1;
    counts[place]! += count;
    places.fill(place, filled, filled + count);
    filled += count;
  }
  return { patterns, counts, places };
}

/** The value and 1.96 standard errors of the jackknife, at most 1. */
function jackknife(
  value: number,
  counts: readonly number[],
  total: number,
  of: (weights: ArrayLike<number>, total: number) => number,
): Interval {
  if (total < 2) return [value, value];
  const weights = [...counts];
  const without = counts.map((count, at) => {
    weights[at] = count - 1;
    const left = of(weights, total - 1);
    weights[at] = count;
    return left;
  });
  const mean = without.reduce((sum, one, at) => sum + counts[at]! * one, 0) / total;
  const squares = without.reduce((sum, one, at) => sum + counts[at]! * (one - mean) ** 2, 0);
  const half = Z_95 * Math.sqrt(((total - 1) / total) * squares);
  return [value - half, Math.min(1, value + half)];
}

/** The ratings of each unit, without missing ones. [units, ratings of the unit] */
function unitsOf(ratings: RatingTable): number[][] {
  const length = ratings[0]?.length ?? 0;
  const other = ratings.find((one) => one.length !== length);
  if (other !== undefined)
    throw new RangeError(
      `raters rated ${length} and ${other.length} units: these are not the same`,
    );
  const units: number[][] = [];
  for (let at = 0; at < length; at++) {
    const unit: number[] = [];
    for (const one of ratings) {
      const value = one[at];
      if (value === null || value === undefined) continue;
      if (!Number.isFinite(value)) throw new RangeError(`expected a category, found ${value}`);
      unit.push(value);
    }
    units.push(unit);
  }
  return units;
}

function categoriesOf(
  units: readonly (readonly number[])[],
  given?: readonly number[],
): readonly number[] {
  const seen = new Set<number>();
  for (const unit of units) for (const value of unit) seen.add(value);
  const found = [...seen].sort((a, b) => a - b);
  const strange = given && found.find((value) => !given.includes(value));
  if (strange !== undefined)
    throw new RangeError(`the rating ${strange} is not among the categories ${given!.join(', ')}`);
  return given ?? found;
}
