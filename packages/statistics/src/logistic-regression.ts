// Maximum likelihood of a logistic model whose labels may be probabilities:
//   loss = sum_i w_i (softplus(eta_i) - y_i eta_i) + sum_j penalty_j theta_j^2 / 2,
//   eta_i = x_i · theta.
// Newton's method with step halving (Hastie, Tibshirani and Friedman 2009, section 4.4.1). The
// sandwich covariance H^-1 G H^-1 with G = sum over clusters of g g^T (White 1982; Liang and Zeger
// 1986) is valid where rows share a cluster or labels are probabilities; the model's own H^-1 is
// not.
import { byCluster, type LogisticData, type LogisticRow, logisticData } from './logistic-data.ts';
import {
  cholesky,
  inverseFromCholesky,
  type Matrix,
  sandwich,
  solveCholesky,
  zeros,
} from './normal-equations.ts';

export interface LogisticOptions {
  /** Ridge penalty of each parameter (default: 0). */
  penalties?: readonly number[];
  /**
   * Precision of a normal prior with mean 0 for each parameter (default: 0). Unlike a penalty, it
   * is part of the uncertainty: the sandwich includes the variance of its score.
   */
  priors?: readonly number[];
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

/** 1 / (1 + exp(-x)), without overflow. */
export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * @param size number of parameters
 * @throws NoMaximumError where the labels can be separated, or a parameter has no row
 * @throws RangeError for labels outside [0, 1], negative weights, and features that are not finite
 */
export function fitLogistic(
  rows: readonly LogisticRow[] | LogisticData,
  size: number,
  options: LogisticOptions = {},
): LogisticFit {
  const data = 'starts' in rows ? rows : logisticData(rows);
  const theta = maximum(data, size, options);
  const { hessian } = derivatives(data, theta, ridgeOf(options, size));
  const { flat = [], priors = [] } = options;
  const lower = cholesky(withFlat(hessian, flat));
  if (lower === null) throw new NoMaximumError(separated);
  const inverse = inverseFromCholesky(lower);
  const middle = scoreCovariance(data, theta);
  addPriors(middle, priors, flat);
  return {
    parameters: withoutFlat(theta, flat),
    modelCovariance: inverse,
    covariance: sandwich(inverse, middle),
  };
}

/**
 * The parameters alone, without their covariance.
 * @param from where Newton's method starts (default: 0)
 * @throws NoMaximumError as {@link fitLogistic}
 */
export const maximumLikelihood = (
  data: LogisticData,
  size: number,
  options: LogisticOptions & { from?: readonly number[] } = {},
): number[] => withoutFlat(maximum(data, size, options), options.flat ?? []);

function maximum(
  data: LogisticData,
  size: number,
  { from: first, ...options }: LogisticOptions & { from?: readonly number[] },
): number[] {
  const ridge = ridgeOf(options, size);
  let theta = first === undefined ? new Array<number>(size).fill(0) : [...first];
  let loss = lossOf(data, theta, ridge);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(data, theta, ridge);
    const lower = cholesky(withFlat(hessian, options.flat ?? []));
    if (lower === null) throw new NoMaximumError(separated);
    const step = solveCholesky(lower, gradient);
    const from = theta;
    let size = 1;
    let next = loss;
    for (; size > 1e-10; size /= 2) {
      theta = from.map((value, index) => value - size * step[index]!);
      next = lossOf(data, theta, ridge);
      if (next <= loss) break;
    }
    const moved = Math.max(...step.map(Math.abs));
    if (next > loss) theta = from;
    if (largestLogOdds(data, theta) > INFINITE_LOG_ODDS) throw new NoMaximumError(separated);
    if (moved < 1e-11 || next >= loss) return theta;
    loss = next;
  }
  throw new NoMaximumError(separated);
}

const separated =
  'the likelihood has no maximum: the features separate the outcomes completely, or some of them always vary together';

const ridgeOf = ({ penalties = [], priors = [] }: LogisticOptions, size: number): number[] =>
  Array.from({ length: size }, (_, index) => (penalties[index] ?? 0) + (priors[index] ?? 0));

function etaOf(
  { starts, parameters, values }: LogisticData,
  row: number,
  theta: readonly number[],
): number {
  let eta = 0;
  for (let entry = starts[row]!; entry < starts[row + 1]!; entry++)
    eta += values[entry]! * theta[parameters[entry]!]!;
  return eta;
}

function largestLogOdds(data: LogisticData, theta: readonly number[]): number {
  let largest = 0;
  for (let row = 0; row < data.labels.length; row++)
    if (data.weights[row]! > 0) largest = Math.max(largest, Math.abs(etaOf(data, row, theta)));
  return largest;
}

function lossOf(data: LogisticData, theta: readonly number[], ridge: readonly number[]): number {
  let loss = 0;
  for (let row = 0; row < data.labels.length; row++) {
    const eta = etaOf(data, row, theta);
    loss += data.weights[row]! * (softplus(eta) - data.labels[row]! * eta);
  }
  for (const [index, value] of theta.entries()) loss += (ridge[index]! * value ** 2) / 2;
  return loss;
}

function derivatives(
  data: LogisticData,
  theta: readonly number[],
  ridge: readonly number[],
): { gradient: number[]; hessian: Matrix } {
  const { starts, parameters, values, labels, weights } = data;
  const gradient = theta.map((value, index) => ridge[index]! * value);
  const hessian = zeros(theta.length);
  for (let index = 0; index < theta.length; index++) hessian[index]![index] = ridge[index]!;
  for (let row = 0; row < labels.length; row++) {
    const p = sigmoid(etaOf(data, row, theta));
    const curvature = weights[row]! * p * (1 - p);
    const residual = weights[row]! * (p - labels[row]!);
    for (let one = starts[row]!; one < starts[row + 1]!; one++) {
      const [i, x] = [parameters[one]!, values[one]!];
      gradient[i]! += residual * x;
      const line = hessian[i]!;
      for (let other = starts[row]!; other < starts[row + 1]!; other++)
        line[parameters[other]!]! += curvature * x * values[other]!;
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

/** The parameters without their component along the flat directions. */
function withoutFlat(theta: readonly number[], flat: readonly (readonly number[])[]): number[] {
  return flat.reduce<number[]>(
    (values, direction) => {
      const length = direction.reduce((sum, value) => sum + value * value, 0);
      const along =
        direction.reduce((sum, value, index) => sum + value * values[index]!, 0) / length;
      return values.map((value, index) => value - along * direction[index]!);
    },
    [...theta],
  );
}

/** Adds the priors' covariance of scores, without its component along the flat directions. */
function addPriors(
  middle: Matrix,
  priors: readonly number[],
  flat: readonly (readonly number[])[],
): void {
  for (const [index, precision] of priors.entries()) {
    if (precision === 0) continue;
    const unit = middle.map((_, place) => (place === index ? 1 : 0));
    const v = withoutFlat(unit, flat);
    for (const [i, x] of v.entries())
      for (const [j, y] of v.entries()) middle[i]![j]! += precision * x * y;
  }
}

/** Sum over clusters of the outer product of their score. */
function scoreCovariance(data: LogisticData, theta: readonly number[]): Matrix {
  const { starts, parameters, values, labels, weights, clusters } = data;
  const groups = byCluster(clusters);
  const middle = zeros(theta.length);
  const score = new Float64Array(theta.length);
  const touched: number[] = [];
  for (let cluster = 0; cluster + 1 < groups.starts.length; cluster++) {
    for (let at = groups.starts[cluster]!; at < groups.starts[cluster + 1]!; at++) {
      const row = groups.order[at]!;
      const residual = weights[row]! * (labels[row]! - sigmoid(etaOf(data, row, theta)));
      for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
        const parameter = parameters[entry]!;
        if (!touched.includes(parameter)) touched.push(parameter);
        score[parameter]! += residual * values[entry]!;
      }
    }
    for (const i of touched) for (const j of touched) middle[i]![j]! += score[i]! * score[j]!;
    for (const parameter of touched) score[parameter] = 0;
    touched.length = 0;
  }
  return middle;
}
