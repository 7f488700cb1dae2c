// How much raters agree beyond chance. Ratings are [raters, units], categories numbers, null where
// a rater gave none. All coefficients are 1 for full agreement and 0 for the agreement expected by
// chance. They differ in what is expected by chance:
//   Cohen 1960 and 1968 (weighted): two raters, each with their own shares of the categories
//   Fleiss 1971: all raters share the categories' shares; with missing ratings as Gwet 2014, ch. 2
//   Krippendorff 2011: the same, corrected for few units, with a distance between categories
//   Gwet 2008 (AC1): chance agreement only on units that are hard; stays high where one category
//     is much more frequent than the others, where kappa falls
// Intervals are percentile bootstrap intervals over units.
import { type BootstrapOptions, bootstrapInterval, type Interval } from './intervals.ts';

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

type Statistic = (units: readonly (readonly number[])[]) => number | null;

/**
 * Cohen's kappa of two raters, on the units that both rated.
 * @param categories all categories in their order (default: those that occur, sorted)
 * @throws RangeError for lists of different lengths, and for a category that is not listed
 */
export function cohenKappa(
  first: readonly (number | null)[],
  second: readonly (number | null)[],
  {
    weights = 'none',
    categories,
    ...bootstrap
  }: { weights?: KappaWeights; categories?: readonly number[] } & BootstrapOptions = {},
): Agreement {
  const units = unitsOf([first, second]).filter((unit) => unit.length === 2);
  const order = categoriesOf(units, categories);
  const cost = (i: number, j: number): number =>
    weights === 'none' ? Number(i !== j) : Math.abs(i - j) ** (weights === 'linear' ? 1 : 2);
  const kappa: Statistic = (drawn) => {
    const shares = [0, 1].map((rater) => {
      const counts = order.map(() => 0);
      for (const unit of drawn) counts[order.indexOf(unit[rater]!)]! += 1 / drawn.length;
      return counts;
    });
    let observed = 0;
    for (const unit of drawn)
      observed += cost(order.indexOf(unit[0]!), order.indexOf(unit[1]!)) / drawn.length;
    let expected = 0;
    for (const [i, a] of shares[0]!.entries())
      for (const [j, b] of shares[1]!.entries()) expected += a * b * cost(i, j);
    return expected === 0 ? null : 1 - observed / expected;
  };
  return measured(units, kappa, bootstrap);
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
}

/**
 * Krippendorff's alpha: 1 - (n - 1) sum o_ck d_ck / sum n_c n_k d_ck over the coincidences o of the
 * values c and k.
 * @throws RangeError for lists of different lengths, and for ratios of values below 0
 */
export function krippendorffAlpha(
  ratings: RatingTable,
  level: MeasurementLevel,
  bootstrap: BootstrapOptions = {},
): Agreement {
  const units = unitsOf(ratings).filter((unit) => unit.length >= 2);
  const values = categoriesOf(units);
  if (level === 'ratio' && values.some((value) => value < 0))
    throw new RangeError('ratios need values of at least 0');
  const alpha: Statistic = (drawn) => {
    const totals = values.map(() => 0);
    const coincidences = values.map(() => values.map(() => 0));
    let n = 0;
    for (const unit of drawn) {
      n += unit.length;
      const places = unit.map((value) => values.indexOf(value));
      for (const [i, c] of places.entries()) {
        totals[c]! += 1;
        for (const [j, k] of places.entries())
          if (i !== j) coincidences[c]![k]! += 1 / (unit.length - 1);
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
  return measured(units, alpha, bootstrap);
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
  { categories, ...bootstrap }: AgreementOptions,
  byChance: (shares: readonly number[]) => number,
): Agreement {
  const units = unitsOf(ratings).filter((unit) => unit.length >= 1);
  const order = categoriesOf(units, categories);
  const statistic: Statistic = (drawn) => {
    const shares = order.map(() => 0);
    let observed = 0;
    let rated = 0;
    for (const unit of drawn) {
      const counts = order.map((category) => unit.filter((value) => value === category).length);
      for (const [k, count] of counts.entries()) shares[k]! += count / unit.length / drawn.length;
      if (unit.length < 2) continue;
      rated += 1;
      const pairs = counts.reduce((sum, count) => sum + count * (count - 1), 0);
      observed += pairs / (unit.length * (unit.length - 1));
    }
    const chance = byChance(shares);
    if (rated === 0 || 1 - chance < 1e-12) return null;
    return (observed / rated - chance) / (1 - chance);
  };
  return measured(units, statistic, bootstrap);
}

function measured(
  units: readonly (readonly number[])[],
  statistic: Statistic,
  bootstrap: BootstrapOptions,
): Agreement {
  const value = units.length === 0 ? null : statistic(units);
  const count = units.filter((unit) => unit.length >= 2).length;
  if (value === null) return { value, interval: null, units: count };
  // A sample in which all ratings are the same is full agreement.
  const sampled = (draws: Uint32Array): number =>
    statistic(Array.from(draws, (draw) => units[draw]!)) ?? 1;
  const interval = bootstrapInterval(units.length, sampled, { resamples: 2000, ...bootstrap });
  return { value, interval, units: count };
}

/** The ratings of each unit, without missing ones. [units, ratings of the unit] */
function unitsOf(ratings: RatingTable): number[][] {
  const length = ratings[0]?.length ?? 0;
  const other = ratings.find((one) => one.length !== length);
  if (other !== undefined)
    throw new RangeError(
      `raters rated ${length} and ${other.length} units: these are not the same`,
    );
  return Array.from({ length }, (_, unit) =>
    ratings.flatMap((one) => {
      const value = one[unit];
      if (value === null || value === undefined) return [];
      if (!Number.isFinite(value)) throw new RangeError(`expected a category, found ${value}`);
      return [value];
    }),
  );
}

function categoriesOf(
  units: readonly (readonly number[])[],
  given?: readonly number[],
): readonly number[] {
  const found = [...new Set(units.flat())].sort((a, b) => a - b);
  const strange = given && found.find((value) => !given.includes(value));
  if (strange !== undefined)
    throw new RangeError(`the rating ${strange} is not among the categories ${given!.join(', ')}`);
  return given ?? found;
}
