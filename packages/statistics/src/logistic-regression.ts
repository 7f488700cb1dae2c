// Maximum likelihood of a logistic model whose labels may be probabilities:
//   loss = sum_i w_i (softplus(eta_i) - y_i eta_i) + sum_j penalty_j theta_j^2 / 2,
//   eta_i = x_i · theta.
// Newton's method with step halving (Hastie, Tibshirani and Friedman 2009, section 4.4.1). The
// sandwich covariance H^-1 G H^-1 with G = sum over clusters of g g^T (White 1982; Liang and Zeger
// 1986) is valid where rows share a cluster or labels are probabilities; the model's own H^-1 is
// not.
import {
  cholesky,
  inverseFromCholesky,
  type Matrix,
  sandwich,
  solveCholesky,
  zeros,
} from './normal-equations.ts';

/** A row: its features x [parameters] as pairs of index and value, all others 0. */
export interface LogisticRow {
  features: readonly (readonly [parameter: number, value: number])[];
  /** Probability that the outcome is 1, from 0 to 1. */
  label: number;
  /** How much the row counts, at least 0. */
  weight: number;
  /** Rows with the same cluster are not independent; default: each row is its own. */
  cluster?: string | number | undefined;
}

export interface LogisticOptions {
  /** Ridge penalty of each parameter (default: 0). */
  penalties?: readonly number[];
  /**
   * Directions in which the likelihood is flat, such as adding a constant to all ratings. The
   * returned maximum has no component along them.
   */
  flat?: readonly (readonly number[])[];
}

export interface LogisticFit {
  /** theta, [parameters] */
  parameters: number[];
  /** The model's own covariance, H^-1, [parameters, parameters] */
  modelCovariance: Matrix;
  /** Robust covariance, H^-1 G H^-1, [parameters, parameters] */
  covariance: Matrix;
}

/** The likelihood rises without limit in some direction: the parameters have no finite maximum. */
export class NoMaximumError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoMaximumError';
  }
}

const MAX_ITERATIONS = 200;
/** A log-odds beyond this is a probability of 1 in floating point. */
const INFINITE_LOG_ODDS = 40;

export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * @param size number of parameters
 * @throws NoMaximumError where the labels can be separated, or a parameter has no row
 * @throws RangeError for labels outside [0, 1], negative weights, and features that are not finite
 */
export function fitLogistic(
  rows: readonly LogisticRow[],
  size: number,
  { penalties = [], flat = [] }: LogisticOptions = {},
): LogisticFit {
  check(rows);
  let theta = new Array<number>(size).fill(0);
  let loss = lossOf(rows, theta, penalties);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(rows, theta, penalties);
    const lower = cholesky(withFlat(hessian, flat));
    if (lower === null) throw new NoMaximumError(separated);
    const step = solveCholesky(lower, gradient);
    const from = theta;
    let size = 1;
    let next = loss;
    for (; size > 1e-10; size /= 2) {
      theta = from.map((value, index) => value - size * step[index]!);
      next = lossOf(rows, theta, penalties);
      if (next <= loss) break;
    }
    const moved = Math.max(...step.map(Math.abs));
    if (next > loss) theta = from;
    const worst = Math.max(...rows.map((row) => Math.abs(etaOf(row, theta))));
    if (worst > INFINITE_LOG_ODDS) throw new NoMaximumError(separated);
    if (moved < 1e-11 || next >= loss) return fitAt(rows, theta, penalties, flat);
    loss = next;
  }
  throw new NoMaximumError(separated);
}

const separated =
  'the likelihood has no maximum: the features separate the outcomes completely, or some of them always vary together';

function check(rows: readonly LogisticRow[]): void {
  if (rows.length === 0) throw new RangeError('a fit needs at least one row');
  for (const [place, { features, label, weight }] of rows.entries()) {
    if (!(label >= 0 && label <= 1))
      throw new RangeError(`row ${place}: expected a label from 0 to 1, found ${label}`);
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new RangeError(`row ${place}: expected a weight of at least 0, found ${weight}`);
    const strange = features.find(([, value]) => !Number.isFinite(value));
    if (strange !== undefined)
      throw new RangeError(`row ${place}: expected finite features, found ${strange[1]}`);
  }
}

const etaOf = ({ features }: LogisticRow, theta: readonly number[]): number =>
  features.reduce((sum, [index, value]) => sum + value * theta[index]!, 0);

function lossOf(
  rows: readonly LogisticRow[],
  theta: readonly number[],
  penalties: readonly number[],
): number {
  let loss = 0;
  for (const row of rows) {
    const eta = etaOf(row, theta);
    loss += row.weight * (softplus(eta) - row.label * eta);
  }
  for (const [index, value] of theta.entries()) loss += ((penalties[index] ?? 0) * value ** 2) / 2;
  return loss;
}

function derivatives(
  rows: readonly LogisticRow[],
  theta: readonly number[],
  penalties: readonly number[],
): { gradient: number[]; hessian: Matrix } {
  const gradient = theta.map((value, index) => (penalties[index] ?? 0) * value);
  const hessian = zeros(theta.length);
  for (let index = 0; index < theta.length; index++) hessian[index]![index] = penalties[index] ?? 0;
  for (const row of rows) {
    const p = sigmoid(etaOf(row, theta));
    const curvature = row.weight * p * (1 - p);
    for (const [i, x] of row.features) {
      gradient[i]! += row.weight * (p - row.label) * x;
      for (const [j, y] of row.features) hessian[i]![j]! += curvature * x * y;
    }
  }
  return { gradient, hessian };
}

/** Adds v v^T of each flat direction: it makes the matrix invertible and changes nothing else. */
function withFlat(hessian: Matrix, flat: readonly (readonly number[])[]): Matrix {
  if (flat.length === 0) return hessian;
  const scale = Math.max(...hessian.map((row, index) => row[index]!)) || 1;
  return hessian.map((row, i) =>
    row.map((value, j) => flat.reduce((sum, v) => sum + scale * v[i]! * v[j]!, value)),
  );
}

function fitAt(
  rows: readonly LogisticRow[],
  theta: readonly number[],
  penalties: readonly number[],
  flat: readonly (readonly number[])[],
): LogisticFit {
  const { hessian } = derivatives(rows, theta, penalties);
  const lower = cholesky(withFlat(hessian, flat));
  if (lower === null) throw new NoMaximumError(separated);
  const inverse = inverseFromCholesky(lower);
  const parameters = flat.reduce<number[]>(
    (values, direction) => {
      const length = direction.reduce((sum, value) => sum + value * value, 0);
      const along =
        direction.reduce((sum, value, index) => sum + value * values[index]!, 0) / length;
      return values.map((value, index) => value - along * direction[index]!);
    },
    [...theta],
  );
  const middle = scoreCovariance(rows, theta);
  return { parameters, modelCovariance: inverse, covariance: sandwich(inverse, middle) };
}

/** Sum over clusters of the outer product of their score. */
function scoreCovariance(rows: readonly LogisticRow[], theta: readonly number[]): Matrix {
  const scores = new Map<string | number, Map<number, number>>();
  for (const [place, row] of rows.entries()) {
    const residual = row.weight * (row.label - sigmoid(etaOf(row, theta)));
    const key = row.cluster === undefined ? `row ${place}` : `cluster ${row.cluster}`;
    const score = scores.get(key) ?? new Map<number, number>();
    for (const [i, x] of row.features) score.set(i, (score.get(i) ?? 0) + residual * x);
    scores.set(key, score);
  }
  const middle = zeros(theta.length);
  for (const score of scores.values()) {
    for (const [i, x] of score) for (const [j, y] of score) middle[i]![j]! += x * y;
  }
  return middle;
}
