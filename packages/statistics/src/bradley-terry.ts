// Ratings of models from battles: P(a beats b) = s(theta_a - theta_b + beta · x), s the logistic
// function (Bradley and Terry 1952), and x the features of a battle, such as the difference of
// lengths ("style control", Li et al. 2024). A tie is half a win for both, as in arena-rank and
// FastChat. Ratings are 1000 + 400 / ln 10 * theta with mean theta 0: Elo's scale.
//
// Intervals are those of the sandwich estimator over clusters of battles, or bootstrap intervals.
// Deviations from arena-rank 0.1.1: it adds 1e-5 to the diagonal of the Hessian so that it can be
// inverted; here the one flat direction is removed exactly. It excludes the features' penalty from
// the Hessian of the sandwich; here it is included. Neither changes an interval by 1e-3.
import { type Interval, quantile, Z_95 } from './intervals.ts';
import {
  fitLogistic,
  type LogisticFit,
  type LogisticRow,
  NoMaximumError,
  sigmoid,
} from './logistic-regression.ts';
import type { Matrix } from './normal-equations.ts';
import { resamplingRandom } from './resampling-random.ts';
import { stronglyConnected, weaklyConnected } from './strongly-connected.ts';

export interface Battle {
  a: string;
  b: string;
  /** 1: a won, 0: b won, 0.5: a tie; a judge's probability that a is better may be in between. */
  outcome: number;
  /** How much the battle counts (default: 1). */
  weight?: number;
  /** Battles that are not independent, such as those on one prompt, share a cluster. */
  cluster?: string | undefined;
  /** Features of the battle, positive where they favour a, [features]. */
  features?: readonly number[];
}

export interface Rating {
  name: string;
  rating: number;
  /** 95% interval */
  interval: Interval;
  /** Battles of this model */
  battles: number;
  /**
   * Best and worst rank, 1 for the first: one more than the number of models whose interval lies
   * wholly above this one's, and one more than the number not wholly below it.
   */
  ranks: readonly [best: number, worst: number];
}

export interface Ratings {
  /** Best first. */
  ratings: Rating[];
  /** beta of each feature with its 95% interval; empty without features. */
  coefficients: { value: number; interval: Interval }[];
  /** Robust covariance of the ratings, in the order of `ratings`, [models, models] */
  covariance: Matrix;
  /** Covariance by the model, the inverse of its information, in the same order */
  modelCovariance: Matrix;
  /** Bootstrap samples whose likelihood had no maximum; they are not in the intervals. */
  skippedSamples: number;
}

export interface RatingOptions {
  /**
   * Gives every pair of models the same weight: a battle counts 1 / max(battles of its pair, this
   * number).
   */
  balancePairs?: number | null;
  /** Ridge penalty of a feature's coefficient in the mean loss (default: 1, arena-rank's). */
  featurePenalty?: number;
  /** `sandwich` (default), or the number of bootstrap samples */
  intervals?: 'sandwich' | { resamples: number; seed?: number };
}

/** Points of rating per unit of log-odds. */
export const RATING_SCALE = 400 / Math.LN10;
const MEAN_RATING = 1000;

/** P(a beats b) by two ratings. */
export const winProbability = (a: number, b: number): number => sigmoid((a - b) / RATING_SCALE);

/**
 * Maximum-likelihood ratings.
 * @throws NoMaximumError where models won or lost every battle against the rest, or were never
 *   compared with it: the message names them
 * @throws RangeError without battles, for a battle of a model with itself, and for outcomes,
 *   weights or features that are not valid
 */
export function bradleyTerry(battles: readonly Battle[], options: RatingOptions = {}): Ratings {
  const problem = checkBattles(battles);
  if (problem !== null) throw new RangeError(problem);
  const names = [...new Set(battles.flatMap(({ a, b }) => [a, b]))].sort();
  checkComparable(battles, names);
  const weights = weightsOf(battles, options.balancePairs ?? null);
  const fit = fitWeighted(battles, names, weights, options.featurePenalty ?? 1);
  const bootstrap = options.intervals ?? 'sandwich';
  const samples =
    bootstrap === 'sandwich' ? null : bootstrapFits(battles, names, weights, options, bootstrap);
  const intervalOf = (index: number): Interval => {
    const value = fit.parameters[index]!;
    if (samples !== null) return percentiles(samples.fits.map((one) => one[index]!));
    const half = Z_95 * Math.sqrt(fit.covariance[index]![index]!);
    return [value - half, value + half];
  };
  const scaled = (theta: number): number => MEAN_RATING + RATING_SCALE * theta;
  const rated = names.map((name, index) => {
    const [low, high] = intervalOf(index);
    return {
      name,
      index,
      rating: scaled(fit.parameters[index]!),
      interval: [scaled(low), scaled(high)] as const,
      battles: battles.filter(({ a, b }) => a === name || b === name).length,
    };
  });
  rated.sort((one, other) => other.rating - one.rating);
  const scaledCovariance = (matrix: Matrix): Matrix =>
    rated.map(({ index: i }) => rated.map(({ index: j }) => matrix[i]![j]! * RATING_SCALE ** 2));
  return {
    ratings: rated.map(({ index, ...one }) => ({ ...one, ranks: ranksOf(one.interval, rated) })),
    coefficients: fit.parameters
      .slice(names.length)
      .map((value, place) => ({ value, interval: intervalOf(names.length + place) })),
    covariance: scaledCovariance(fit.covariance),
    modelCovariance: scaledCovariance(fit.modelCovariance),
    skippedSamples: samples?.skipped ?? 0,
  };
}

/**
 * The pair whose next battle gives the largest expected gain of information about the ratings,
 * log(1 + p (1 - p) Var(theta_a - theta_b)) (D-optimality; Chaloner and Verdinelli 1995, section
 * 4).
 * @returns null for fewer than two models
 */
export function nextPair({ ratings, modelCovariance: covariance }: Ratings): {
  a: string;
  b: string;
  /** In nats */
  gain: number;
} | null {
  let best: { a: string; b: string; gain: number } | null = null;
  for (const [i, one] of ratings.entries()) {
    for (const [j, other] of ratings.entries()) {
      if (j <= i) continue;
      const variance =
        (covariance[i]![i]! + covariance[j]![j]! - 2 * covariance[i]![j]!) / RATING_SCALE ** 2;
      const p = winProbability(one.rating, other.rating);
      const gain = Math.log1p(p * (1 - p) * variance);
      if (best === null || gain > best.gain) best = { a: one.name, b: other.name, gain };
    }
  }
  return best;
}

/** Elo's online ratings, in the order of the battles (Elo 1978; K = 4 as in FastChat). */
export function eloRatings(
  battles: readonly Battle[],
  { k = 4, initial = MEAN_RATING }: { k?: number; initial?: number } = {},
): Map<string, number> {
  const problem = checkBattles(battles);
  if (problem !== null) throw new RangeError(problem);
  const ratings = new Map<string, number>();
  for (const { a, b, outcome } of battles) {
    const [ratingA, ratingB] = [ratings.get(a) ?? initial, ratings.get(b) ?? initial];
    const change = k * (outcome - winProbability(ratingA, ratingB));
    ratings.set(a, ratingA + change);
    ratings.set(b, ratingB - change);
  }
  return ratings;
}

/** (a - b) / (a + b + 1): how much more of something a's answer has (FastChat's style feature). */
export const styleFeature = (a: number, b: number): number => (a - b) / (a + b + 1);

/**
 * Features with mean 0 and deviation 1 over the rows; a constant feature becomes 0. [rows,
 * features] in and out.
 */
export function standardise(rows: readonly (readonly number[])[]): number[][] {
  const scales = (rows[0] ?? []).map((_, column) => {
    const values = rows.map((row) => row[column]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(variance) || 1 };
  });
  return rows.map((row) =>
    row.map((value, column) => (value - scales[column]!.mean) / scales[column]!.deviation),
  );
}

function checkBattles(battles: readonly Battle[]): string | null {
  if (battles.length === 0) return 'ratings need at least one battle';
  const features = battles[0]!.features?.length ?? 0;
  for (const [place, battle] of battles.entries()) {
    const { a, b, outcome, weight = 1 } = battle;
    const where = `battle ${place} (${a} against ${b})`;
    if (a === b) return `${where}: a model cannot be compared with itself`;
    if (!(outcome >= 0 && outcome <= 1))
      return `${where}: expected an outcome from 0 to 1, found ${outcome}`;
    if (!(weight > 0 && Number.isFinite(weight)))
      return `${where}: expected a weight above 0, found ${weight}`;
    if ((battle.features?.length ?? 0) !== features)
      return `${where}: expected ${features} features, found ${battle.features?.length ?? 0}`;
  }
  return null;
}

/**
 * The likelihood has a maximum if and only if every model can be reached from every other by wins
 * and ties (Ford 1957).
 */
function checkComparable(battles: readonly Battle[], names: readonly string[]): void {
  const beats = new Map(names.map((name) => [name, new Set<string>()]));
  for (const { a, b, outcome } of battles) {
    if (outcome > 0) beats.get(a)!.add(b);
    if (outcome < 1) beats.get(b)!.add(a);
  }
  const islands = weaklyConnected(beats);
  if (islands.length > 1) {
    const groups = islands.map((group) => group.join(', ')).join('; ');
    throw new NoMaximumError(
      `the likelihood has no maximum: no battle compares these groups of models with each other: ${groups}`,
    );
  }
  const groups = stronglyConnected(beats);
  if (groups.length === 1) return;
  const said = groups.flatMap((group) => {
    const outside = (one: string): boolean => !group.includes(one);
    const wins = group.some((name) => [...beats.get(name)!].some(outside));
    const losses = names.some(
      (name) => outside(name) && [...beats.get(name)!].some((one) => group.includes(one)),
    );
    if (wins && losses) return [];
    return `${group.join(', ')} ${wins ? 'won' : 'lost'} every battle against the others`;
  });
  throw new NoMaximumError(`the likelihood has no maximum: ${said.join('; ')}`);
}

const pairKey = (a: string, b: string): string => JSON.stringify(a < b ? [a, b] : [b, a]);

function weightsOf(battles: readonly Battle[], balance: number | null): number[] {
  const own = battles.map(({ weight = 1 }) => weight);
  if (balance === null) return own;
  const counts = new Map<string, number>();
  for (const { a, b } of battles) {
    counts.set(pairKey(a, b), (counts.get(pairKey(a, b)) ?? 0) + 1);
  }
  return battles.map(({ a, b }, i) => own[i]! / Math.max(counts.get(pairKey(a, b))!, balance));
}

/** Parameters: the models' theta in the order of `names`, then the features' beta. */
function fitWeighted(
  battles: readonly Battle[],
  names: readonly string[],
  weights: readonly number[],
  featurePenalty: number,
): LogisticFit {
  const places = new Map(names.map((name, index) => [name, index]));
  const count = battles[0]!.features?.length ?? 0;
  const size = names.length + count;
  const rows = battles.map(
    ({ a, b, outcome, cluster, features = [] }, index): LogisticRow => ({
      features: [
        [places.get(a)!, 1],
        [places.get(b)!, -1],
        ...features.map((value, place) => [names.length + place, value] as const),
      ],
      label: outcome,
      weight: weights[index]!,
      cluster,
    }),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const isModel = (index: number): boolean => index < names.length;
  const parameterIndices = Array.from({ length: size }, (_, index) => index);
  const penalties = parameterIndices.map((i) => (isModel(i) ? 0 : featurePenalty * total));
  const flat = [parameterIndices.map((index) => (isModel(index) ? 1 : 0))];
  return fitLogistic(rows, size, { penalties, flat });
}

/** Refits on samples of clusters, drawn with replacement. */
function bootstrapFits(
  battles: readonly Battle[],
  names: readonly string[],
  weights: readonly number[],
  { featurePenalty = 1 }: RatingOptions,
  { resamples, seed = 0 }: { resamples: number; seed?: number },
): { fits: number[][]; skipped: number } {
  const clusters = new Map<string, number[]>();
  for (const [index, { cluster }] of battles.entries()) {
    const key = cluster === undefined ? `battle ${index}` : `cluster ${cluster}`;
    clusters.set(key, [...(clusters.get(key) ?? []), index]);
  }
  const groups = [...clusters.values()];
  const random = resamplingRandom(seed);
  const fits: number[][] = [];
  let skipped = 0;
  for (let sample = 0; sample < resamples; sample++) {
    const drawn = groups.flatMap(() => groups[Math.floor(random() * groups.length)]!);
    const sampled = drawn.map((index) => battles[index]!);
    try {
      checkComparable(sampled, names);
      const counted = merged(
        sampled,
        drawn.map((index) => weights[index]!),
      );
      fits.push(fitWeighted(counted.battles, names, counted.weights, featurePenalty).parameters);
    } catch (error) {
      if (!(error instanceof NoMaximumError)) throw error;
      skipped += 1;
    }
  }
  if (fits.length === 0)
    throw new NoMaximumError('the likelihood has no maximum in any bootstrap sample');
  return { fits, skipped };
}

/** Battles with the same models and outcome as one, if they have no features. */
function merged(
  battles: readonly Battle[],
  weights: readonly number[],
): { battles: readonly Battle[]; weights: number[] } {
  if (battles[0]?.features !== undefined) return { battles, weights: [...weights] };
  const sums = new Map<string, { battle: Battle; weight: number }>();
  for (const [index, { a, b, outcome }] of battles.entries()) {
    const key = JSON.stringify([a, b, outcome]);
    const sum = sums.get(key) ?? { battle: { a, b, outcome }, weight: 0 };
    sum.weight += weights[index]!;
    sums.set(key, sum);
  }
  const all = [...sums.values()];
  return { battles: all.map(({ battle }) => battle), weights: all.map(({ weight }) => weight) };
}

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
