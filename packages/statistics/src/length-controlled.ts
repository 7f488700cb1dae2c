// Length-controlled win rate (Dubois et al. 2024, arXiv:2404.04475): what the win rate would be if
// both answers had the same length, by the logistic model
//   logit P(model better) = constant + weight * tanh((length_1 - length_2) / sd),
// where length_1 is the baseline's length in characters, length_2 the model's, and sd the sample
// deviation of their differences. The length-controlled win rate is s(constant).
//
// Deviations from alpaca_eval's length_controlled_v1: the fit is maximum likelihood without penalty
// and cross-validation. It has no term for the instructions' difficulty (a table for its own 805
// prompts), and no rows of "gamed" baselines. The numbers therefore differ from its leaderboard.
import { type Interval, Z_95 } from './intervals.ts';
import { fitLogistic, NoMaximumError, sigmoid } from './logistic-regression.ts';

/** A judged pair of answers. */
export interface JudgedLengths {
  /** Length of the baseline's answer, in characters */
  baselineLength: number;
  /** Length of the model's answer, in characters */
  modelLength: number;
  /** P(the model's answer is better), from 0 to 1; 0.5 is a tie */
  preference: number;
  /** Pairs that are not independent share a cluster. */
  cluster?: string | undefined;
}

/** A win rate without the effect of length. */
export interface LengthControlled {
  /** Mean preference */
  winRate: number;
  /** s(constant), and its 95% interval (sandwich) */
  lengthControlled: number;
  interval: Interval;
  constant: number;
  /** Negative where the longer answer is preferred, since the feature is baseline minus model */
  weight: number;
  /** Standard errors of constant and weight by the model, without the sandwich */
  standardErrors: readonly [constant: number, weight: number];
  /** Sample deviation of the differences of length, in characters */
  deviation: number;
}

/**
 * @throws RangeError for fewer than two pairs, and for preferences or lengths that are not valid
 * @throws NoMaximumError where all pairs are won or lost, or length alone separates wins from
 *   losses
 */
export function lengthControlledWinRate(pairs: readonly JudgedLengths[]): LengthControlled {
  if (pairs.length < 2)
    throw new RangeError('a length-controlled win rate needs two pairs or more');
  const differences = pairs.map(({ baselineLength, modelLength }) => baselineLength - modelLength);
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (differences.length - 1));
  const winRate = pairs.reduce((sum, { preference }) => sum + preference, 0) / pairs.length;
  if (winRate === 0 || winRate === 1) {
    const all = winRate === 1 ? 'won' : 'lost';
    throw new NoMaximumError(
      `the length-controlled win rate has no finite value: the model ${all} every comparison`,
    );
  }
  // Without differences of length there is nothing to control: the feature is 0 everywhere.
  const feature = (difference: number): number =>
    deviation === 0 ? 0 : Math.tanh(difference / deviation);
  const varies = differences.some((difference) => feature(difference) !== feature(differences[0]!));
  const rows = pairs.map(({ preference, cluster }, index) => ({
    features: [[0, 1] as const, ...(varies ? [[1, feature(differences[index]!)] as const] : [])],
    label: preference,
    weight: 1,
    cluster,
  }));
  const fit = fitLogistic(rows, varies ? 2 : 1);
  const constant = fit.parameters[0]!;
  const half = Z_95 * Math.sqrt(fit.covariance[0]![0]!);
  return {
    winRate,
    lengthControlled: sigmoid(constant),
    interval: [sigmoid(constant - half), sigmoid(constant + half)],
    constant,
    weight: fit.parameters[1] ?? 0,
    standardErrors: [
      Math.sqrt(fit.modelCovariance[0]![0]!),
      Math.sqrt(fit.modelCovariance[1]?.[1] ?? 0),
    ],
    deviation,
  };
}
