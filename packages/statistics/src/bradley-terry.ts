// Ratings of models from battles: P(a beats b) = s(theta_a - theta_b + beta · x), s the logistic
// function (Bradley and Terry 1952), and x the features of a battle, such as the difference of
// lengths ("style control", Li et al. 2024). A tie is half a win for both, as in arena-rank and
// FastChat. Ratings are 1000 + 400 / ln 10 * theta with mean theta 0: Elo's scale.
//
// Intervals are those of the sandwich estimator over clusters of battles, or bootstrap intervals.
// Deviations from arena-rank 0.1.1: it adds 1e-5 to the diagonal of the Hessian so that it can be
// inverted; here the one flat direction is removed exactly. It excludes the features' penalty from
// the Hessian of the sandwich; here it is included. Neither changes an interval by 1e-3.
import { type Battle, BattleTable } from './battle-table.ts';
import {
  type BootstrapRatingOptions,
  bootstrapFits,
  PairSums,
  pairsOf,
} from './bootstrap-ratings.ts';
import { checkComparable } from './comparable.ts';
import { type Interval, quantile, Z_95 } from './intervals.ts';
import { fitLogistic } from './logistic-regression.ts';
import type { Matrix } from './normal-equations.ts';
import { MEAN_RATING, RATING_SCALE, winProbability } from './rating-scale.ts';

/** A model with its rating. */
export interface Rating {
  name: string;
  rating: number;
  /** 95% interval */
  interval: Interval;
  /** Battles of this model */
  battles: number;
  /** Mean probability to beat each of the other models, by the ratings */
  winRate: number;
  /**
   * Best and worst rank, 1 for the first: one more than the number of models whose interval lies
   * wholly above this one's, and one more than the number not wholly below it.
   */
  ranks: readonly [best: number, worst: number];
}

/** All models of a set of battles, rated. */
export interface Ratings {
  /** Best first. */
  ratings: Rating[];
  /** beta of each feature with its 95% interval; empty without features. */
  coefficients: { value: number; interval: Interval }[];
  /** Robust covariance of the ratings, in the order of `ratings`, [models, models] */
  covariance: Matrix;
  /** Bootstrap samples whose likelihood had no maximum; they are not in the intervals. */
  skippedSamples: number;
}

/** How battles become ratings. */
export interface RatingOptions {
  /**
   * Gives every pair of models the same weight: a battle counts 1 / max(battles of its pair, this
   * number).
   */
  balancePairs?: number | null;
  /** Ridge penalty of a feature's coefficient in the mean loss (default: 1, arena-rank's). */
  featurePenalty?: number;
  /**
   * Standard deviation, in points, of a normal prior of the ratings around their mean (default:
   * none). With it every model has a finite rating.
   */
  prior?: number | null;
  /** Moves all ratings by the same number, so that this model's is this one. */
  anchor?: { name: string; rating: number } | null;
  /** `sandwich` (default), or a bootstrap over clusters */
  intervals?: 'sandwich' | BootstrapRatingOptions;
}

/**
 * Maximum-likelihood ratings.
 * @throws NoMaximumError where models won or lost every battle against the rest, or were never
 *   compared with it, unless there is a prior: the message names them
 * @throws RangeError without battles, for a battle of a model with itself, for outcomes, weights or
 *   features that are not valid, and for an anchor without battles
 */
export function bradleyTerry(
  battles: readonly Battle[] | BattleTable,
  options: RatingOptions = {},
): Ratings {
  const table = battles instanceof BattleTable ? battles : BattleTable.of(battles);
  if (table.length === 0) throw new RangeError('ratings need at least one battle');
  const { balancePairs = null, featurePenalty = 1, prior = null, anchor = null } = options;
  const { names } = table;
  const weights = weightsOf(table, balancePairs);
  if (prior === null) {
    const sums = new PairSums(table, weights);
    for (let battle = 0; battle < table.length; battle++) sums.add(battle);
    checkComparable(sums.beats());
  }

  const size = names.length + table.featureCount;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const isModel = (index: number): boolean => index < names.length;
  const parameters = Array.from({ length: size }, (_, index) => index);
  const fitting = {
    penalties: parameters.map((index) => (isModel(index) ? 0 : featurePenalty * total)),
    priors: parameters.map((index) =>
      isModel(index) && prior !== null ? (RATING_SCALE / prior) ** 2 : 0,
    ),
    flat: [parameters.map((index) => (isModel(index) ? 1 : 0))],
  };
  const fit = fitLogistic(table.logisticData(weights), size, fitting);
  const bootstrap = options.intervals ?? 'sandwich';
  const samples =
    bootstrap === 'sandwich'
      ? null
      : bootstrapFits(
          table,
          weights,
          size,
          { ...fitting, from: fit.parameters, comparable: prior === null },
          bootstrap,
        );
  const intervalOf = (index: number): Interval => {
    const value = fit.parameters[index]!;
    if (samples !== null) return percentiles(samples.fits.map((one) => one[index]!));
    const half = Z_95 * Math.sqrt(fit.covariance[index]![index]!);
    return [value - half, value + half];
  };
  const origin = originOf(names, fit.parameters, anchor);
  const scaled = (theta: number): number => origin + RATING_SCALE * theta;
  const counts = battleCounts(table);
  const rated = names
    .map((name, index) => {
      const [low, high] = intervalOf(index);
      const rating = scaled(fit.parameters[index]!);
      const interval = [scaled(low), scaled(high)] as const;
      return { name, index, rating, interval, battles: counts[index]! };
    })
    .sort(
      (one, other) =>
        other.rating - one.rating || (one.name < other.name ? -1 : Number(one.name > other.name)),
    );
  return {
    ratings: rated.map(({ index, ...one }) => ({
      ...one,
      winRate: meanOf(
        rated.filter(({ name }) => name !== one.name),
        ({ rating }) => winProbability(one.rating, rating),
      ),
      ranks: ranksOf(one.interval, rated),
    })),
    coefficients: fit.parameters
      .slice(names.length)
      .map((value, place) => ({ value, interval: intervalOf(names.length + place) })),
    covariance: rated.map(({ index: i }) =>
      rated.map(({ index: j }) => fit.covariance[i]![j]! * RATING_SCALE ** 2),
    ),
    skippedSamples: samples?.skipped ?? 0,
  };
}

/** The rating of theta 0. */
function originOf(
  names: readonly string[],
  parameters: readonly number[],
  anchor: { name: string; rating: number } | null,
): number {
  if (anchor === null) return MEAN_RATING;
  const place = names.indexOf(anchor.name);
  if (place < 0) throw new RangeError(`the anchor ${anchor.name} is in no battle`);
  return anchor.rating - RATING_SCALE * parameters[place]!;
}

function weightsOf(table: BattleTable, balance: number | null): Float64Array {
  const { weight } = table.columns();
  if (balance === null) return weight;
  const pairs: (readonly [number, number])[] = [];
  const pairOf = pairsOf(table, pairs);
  const counts = new Int32Array(pairs.length);
  for (const pair of pairOf) counts[pair]! += 1;
  return weight.map((own, battle) => own / Math.max(counts[pairOf[battle]!]!, balance));
}

function battleCounts(table: BattleTable): Int32Array {
  const counts = new Int32Array(table.names.length);
  const { a, b } = table.columns();
  for (let battle = 0; battle < table.length; battle++) {
    counts[a[battle]!]! += 1;
    counts[b[battle]!]! += 1;
  }
  return counts;
}

const meanOf = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + value(item), 0) / items.length;

function percentiles(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
}

const ranksOf = (
  [low, high]: Interval,
  all: readonly { interval: Interval }[],
): readonly [number, number] => [
  1 + all.filter(({ interval }) => interval[0] > high).length,
  all.filter(({ interval }) => interval[1] >= low).length,
];
