// Logistic regression with a ridge penalty whose weights have signs that are known beforehand:
// a refusal phrase never makes an answer more compliant. Signs keep the weights from fitting the
// style of the models that they are trained on.
import { sigmoid } from '@keel/statistics';

export interface SignedRow {
  /** x [parameters] */
  features: readonly number[];
  /** 0 or 1 */
  label: number;
}

/** The sign that a weight may have; 0: any. */
export type Sign = -1 | 0 | 1;

const SWEEPS = 2000;
const TOLERANCE = 1e-9;

/**
 * Minimises sum_i (softplus(eta_i) - y_i eta_i) + ridge/2 * |w|^2 with eta = w · x + bias over the
 * weights with these signs, by coordinate descent. The problem is convex, so that the result does
 * not depend on where it starts.
 * @returns the weights [parameters] and the bias, which has no penalty
 */
export function fitSigned(
  rows: readonly SignedRow[],
  signs: readonly Sign[],
  ridge: number,
): { weights: number[]; bias: number } {
  const columns = signs.map((_, index) => rows.map(({ features }) => features[index]!));
  columns.push(rows.map(() => 1));
  const allowed: readonly Sign[] = [...signs, 0];
  const w = columns.map(() => 0);
  const eta = rows.map(() => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let moved = 0;
    for (const [index, column] of columns.entries()) {
      const penalty = index < signs.length ? ridge : 0;
      let gradient = penalty * w[index]!;
      for (let row = 0; row < rows.length; row++) {
        const x = column[row]!;
        if (x !== 0) gradient += (sigmoid(eta[row]!) - rows[row]!.label) * x;
      }
      // The curvature of a logistic loss is at most a quarter: steps of this size never overshoot.
      const bound = penalty + column.reduce((sum, x) => sum + x * x, 0) / 4;
      if (bound === 0) continue;
      const sign = allowed[index]!;
      const free = w[index]! - gradient / bound;
      const next = sign * free < 0 ? 0 : free;
      const change = next - w[index]!;
      if (change === 0) continue;
      moved = Math.max(moved, Math.abs(change));
      w[index] = next;
      for (let row = 0; row < rows.length; row++) eta[row]! += change * column[row]!;
    }
    if (moved < TOLERANCE) break;
  }
  return { weights: w.slice(0, -1), bias: w.at(-1)! };
}
