// The curves of over-optimisation (Gao, Schulman and Hilton 2022, arXiv:2210.10760, section 3.1):
// with d = sqrt(KL(policy, initial policy)), the gold reward follows
//   best-of-n:  R(d) = d (alpha - beta d)
//   RL:         R(d) = d (alpha - beta log d)
// Both are linear in alpha and beta, so they are fitted by least squares.

import type { Interval } from './intervals.ts';
import {
  cholesky,
  inverseFromCholesky,
  type Matrix,
  solveCholesky,
  zeros,
} from './normal-equations.ts';
import { studentQuantile } from './student.ts';

/** Which of the two curves is fitted. */
export type OptimisationCurve = 'best-of-n' | 'rl';

/** A fitted curve of the gold reward. */
export interface OverOptimisation {
  alpha: number;
  beta: number;
  /** 95% of alpha and beta (Student); null for two points, which every curve meets */
  intervals: { alpha: Interval; beta: Interval } | null;
  /** Root of the mean squared residual, in units of the reward */
  residual: number;
}

/** The gold reward at a KL in nats, relative to that of the initial policy. */
export function overOptimisationCurve(
  curve: OptimisationCurve,
  { alpha, beta }: { alpha: number; beta: number },
  kl: number,
): number {
  const d = Math.sqrt(kl);
  if (d === 0) return 0;
  return d * (alpha - beta * (curve === 'rl' ? Math.log(d) : d));
}

/**
 * Where the gold reward is highest: d = alpha / (2 beta) for best-of-n, exp(alpha / beta - 1) for
 * RL. @returns null where it rises without limit (beta <= 0) or falls from the start
 */
export function overOptimisationPeak(
  curve: OptimisationCurve,
  { alpha, beta }: { alpha: number; beta: number },
): { d: number; kl: number; reward: number } | null {
  if (!(beta > 0)) return null;
  const d = curve === 'rl' ? Math.exp(alpha / beta - 1) : alpha / (2 * beta);
  if (!(d > 0)) return null;
  const kl = d * d;
  return { d, kl, reward: overOptimisationCurve(curve, { alpha, beta }, kl) };
}

/** KL(best of n, the policy) in nats: log n - (n - 1) / n. @throws RangeError unless n >= 1 */
export function bestOfNKl(n: number): number {
  if (!(n >= 1)) throw new RangeError(`expected at least one sample, got ${n}`);
  return Math.log(n) - (n - 1) / n;
}

/**
 * Fits a curve to points of KL (in nats) and gold reward relative to the initial policy. Points at
 * a KL of 0 have no information and are not used.
 * @throws RangeError for fewer than two points at different KL above 0, and for values that are not
 *   finite
 */
export function fitOverOptimisation(
  curve: OptimisationCurve,
  points: readonly { kl: number; reward: number }[],
): OverOptimisation {
  const strange = points.find(
    ({ kl, reward }) => !(Number.isFinite(reward) && Number.isFinite(kl) && kl >= 0),
  );
  if (strange !== undefined)
    throw new RangeError(
      `expected finite rewards and a KL of at least 0, found ${strange.reward} at ${strange.kl}`,
    );
  const used = points.filter(({ kl }) => kl > 0);
  const rows = used.map(({ kl }) => {
    const d = Math.sqrt(kl);
    return [d, -d * (curve === 'rl' ? Math.log(d) : d)] as const;
  });
  const normal: Matrix = zeros(2);
  const right = [0, 0];
  for (const [place, row] of rows.entries()) {
    for (const [i, x] of row.entries()) {
      right[i]! += x * used[place]!.reward;
      for (const [j, y] of row.entries()) normal[i]![j]! += x * y;
    }
  }
  const lower = used.length < 2 ? null : cholesky(normal);
  if (lower === null)
    throw new RangeError('a curve needs at least two points at different KL above 0');
  const [alpha, beta] = solveCholesky(lower, right) as [number, number];
  const squares = rows.reduce(
    (sum, [x, y], place) => sum + (used[place]!.reward - alpha * x - beta * y) ** 2,
    0,
  );
  const free = used.length - 2;
  const inverse = inverseFromCholesky(lower);
  const intervalOf = (value: number, index: number): Interval => {
    const half =
      studentQuantile(0.975, free) * Math.sqrt((inverse[index]![index]! * squares) / free);
    return [value - half, value + half];
  };
  return {
    alpha,
    beta,
    intervals: free === 0 ? null : { alpha: intervalOf(alpha, 0), beta: intervalOf(beta, 1) },
    residual: Math.sqrt(squares / used.length),
  };
}
