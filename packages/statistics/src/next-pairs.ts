// Which two models to compare next. A battle of i and j adds the information
// I = p (1 - p) v v^T, v = e_i - e_j, to that of the battles so far. The sum of the variances of
// all differences of ratings, sum_{k<l} Var(theta_k - theta_l), then falls by a known amount
// (A-optimality; Chaloner and Verdinelli 1995, section 4). The information is that of the model
// with independent battles of weight 1.
import type { PairCounts } from './battle-table.ts';
import type { Rating } from './bradley-terry.ts';
import { cholesky, inverseFromCholesky, type Matrix, zeros } from './normal-equations.ts';
import { RATING_SCALE, winProbability } from './rating-scale.ts';

/** Battles of two models that are worth having. */
export interface NextPair {
  a: string;
  b: string;
  /** How many battles of the two are suggested */
  suggested: number;
  /** Battles of the two so far */
  battles: number;
  /** P(a beats b) */
  winProbability: number;
  /** Standard error of the difference of their ratings before and after, in points */
  errors: readonly [before: number, after: number];
  /** By which share of its present value the variance of all differences of ratings falls */
  reduction: number;
}

/**
 * The best next battles, chosen one after the other: each takes the earlier ones into account.
 * @param ratings of models that are connected by battles
 * @param battles of each pair, in the order of `ratings`, [models, models]
 * @param prior as in the fit
 * @returns pairs in the order in which they were first chosen; none for fewer than two models
 */
export function nextPairs(
  ratings: readonly Rating[],
  { battles }: Pick<PairCounts, 'battles'>,
  count: number,
  prior: number | null = null,
): NextPair[] {
  const size = ratings.length;
  if (size < 2 || count === 0) return [];
  const probability = ratings.map(({ rating }) =>
    ratings.map((other) => winProbability(rating, other.rating)),
  );
  const curvature = (i: number, j: number): number =>
    probability[i]![j]! * (1 - probability[i]![j]!);
  const covariance = covarianceOf(size, (i, j) => battles[i]![j]! * curvature(i, j), prior);
  const errorOf = (i: number, j: number): number =>
    Math.sqrt(differenceVariance(covariance, i, j)) * RATING_SCALE;
  const total = totalVariance(covariance);
  const found = new Map<string, NextPair & { i: number; j: number }>();
  for (let turn = 0; turn < count; turn++) {
    const { i, j, drop } = bestPair(covariance, curvature);
    const known = found.get(`${i} ${j}`);
    const before = known?.errors[0] ?? errorOf(i, j);
    update(covariance, i, j, curvature(i, j));
    found.set(`${i} ${j}`, {
      ...{ i, j, a: ratings[i]!.name, b: ratings[j]!.name },
      suggested: (known?.suggested ?? 0) + 1,
      battles: battles[i]![j]!,
      winProbability: probability[i]![j]!,
      errors: [before, before],
      reduction: (known?.reduction ?? 0) + drop / total,
    });
  }
  return [...found.values()].map(({ i, j, ...pair }) => ({
    ...pair,
    errors: [pair.errors[0], errorOf(i, j)],
  }));
}

/** What the next battle of two models is expected to tell. */
export interface PairGain {
  a: string;
  b: string;
  /** By which share of its present value the variance of all differences of ratings falls */
  reduction: number;
}

/**
 * What one more battle of each two models is expected to tell.
 * @param ratings of models that are connected by battles, or with a prior
 * @param battles of each pair, in the order of `ratings`, [models, models]
 * @param prior as in the fit
 * @param among names of the models that can meet: the differences that count are theirs
 */
export function pairGains(
  ratings: readonly Pick<Rating, 'name' | 'rating'>[],
  { battles }: Pick<PairCounts, 'battles'>,
  prior: number | null,
  among: readonly string[],
): PairGain[] {
  const curvature = (i: number, j: number): number => {
    const p = winProbability(ratings[i]!.rating, ratings[j]!.rating);
    return p * (1 - p);
  };
  const whole = covarianceOf(ratings.length, (i, j) => battles[i]![j]! * curvature(i, j), prior);
  const wanted = new Set(among);
  const places = [...ratings.keys()].filter((place) => wanted.has(ratings[place]!.name));
  // How the others' ratings vary is no matter: their rows and columns are left out.
  const covariance = places.map((i) => places.map((j) => whole[i]![j]!));
  const total = totalVariance(covariance);
  return places.flatMap((i, row) =>
    places.slice(row + 1).map((j, more): PairGain => {
      const drop = dropOf(covariance, row, row + 1 + more, curvature(i, j));
      return { a: ratings[i]!.name, b: ratings[j]!.name, reduction: drop / total };
    }),
  );
}

function bestPair(covariance: Matrix, curvature: (i: number, j: number) => number) {
  let best = { i: 0, j: 1, drop: Number.NEGATIVE_INFINITY };
  for (let i = 0; i < covariance.length; i++) {
    for (let j = i + 1; j < covariance.length; j++) {
      const drop = dropOf(covariance, i, j, curvature(i, j));
      if (drop > best.drop) best = { i, j, drop };
    }
  }
  return best;
}

function covarianceOf(
  size: number,
  information: (i: number, j: number) => number,
  prior: number | null,
): Matrix {
  const hessian = zeros(size);
  const precision = prior === null ? 0 : (RATING_SCALE / prior) ** 2;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (i === j) continue;
      const value = information(i, j);
      hessian[i]![i]! += value;
      hessian[i]![j]! -= value;
    }
    hessian[i]![i]! += precision;
  }
  // Adding a constant to all ratings changes nothing: 1 1^T makes that direction invertible.
  const scale = Math.max(...hessian.map((row, index) => row[index]!));
  const lower = cholesky(hessian.map((row) => row.map((value) => value + scale)));
  if (lower === null) throw new RangeError('the ratings are of models that no battles connect');
  return inverseFromCholesky(lower);
}

const differenceVariance = (covariance: Matrix, i: number, j: number): number =>
  covariance[i]![i]! + covariance[j]![j]! - 2 * covariance[i]![j]!;

/** sum_{k<l} Var(theta_k - theta_l) = n tr(C) - 1^T C 1 */
const totalVariance = (covariance: Matrix): number => {
  let [trace, sum] = [0, 0];
  for (const [i, row] of covariance.entries()) {
    trace += row[i]!;
    for (const value of row) sum += value;
  }
  return covariance.length * trace - sum;
};

/** By how much {@link totalVariance} falls (Sherman and Morrison 1950). */
function dropOf(covariance: Matrix, i: number, j: number, weight: number): number {
  const [one, other] = [covariance[i]!, covariance[j]!];
  let [squares, sum] = [0, 0];
  for (let k = 0; k < covariance.length; k++) {
    const u = one[k]! - other[k]!;
    squares += u * u;
    sum += u;
  }
  const factor = weight / (1 + weight * differenceVariance(covariance, i, j));
  return factor * (covariance.length * squares - sum * sum);
}

/** The covariance after a battle of i and j. */
function update(covariance: Matrix, i: number, j: number, weight: number): void {
  const u = covariance[i]!.map((value, k) => value - covariance[j]![k]!);
  const factor = weight / (1 + weight * differenceVariance(covariance, i, j));
  for (const [k, row] of covariance.entries())
    for (let l = 0; l < row.length; l++) row[l]! -= factor * u[k]! * u[l]!;
}
