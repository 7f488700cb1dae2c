// The interval of a change, measured twice on the same batches of rows.
import type { Interval } from './intervals.ts';
import { studentQuantile } from './student.ts';

/** Numbers of an evaluation, batch by batch. */
export interface BatchValues {
  /** [B] rows of each batch. */
  rows: number[];
  /**
   * [B] by metric: the value of each batch. Their mean, weighted by rows, is the evaluation's
   * value.
   */
  values: Record<string, number[]>;
}

/** Collects batches from the means over all rows so far. */
export class BatchCollector {
  readonly #rows: number[] = [];
  readonly #means: Record<string, number>[] = [];

  /**
   * @param rows of the batch
   * @param means over all rows up to and including this batch
   */
  add(rows: number, means: Record<string, number>): void {
    this.#rows.push(rows);
    this.#means.push(means);
  }

  /** Metrics that are finite after every batch. */
  get batches(): BatchValues {
    const values: BatchValues['values'] = {};
    for (const name of Object.keys(this.#means[0] ?? {})) {
      const means = this.#means.map((one) => one[name] ?? Number.NaN);
      if (!means.every(Number.isFinite)) continue;
      let before = 0;
      let count = 0;
      values[name] = means.map((mean, at) => {
        count += this.#rows[at]!;
        const sum = count * mean;
        const own = (sum - before) / this.#rows[at]!;
        before = sum;
        return own;
      });
    }
    return { rows: [...this.#rows], values };
  }
}

/**
 * 95% interval of the change of a mean over rows. The units are batches, so single rows need no
 * values. With B batches, it is Student's interval with B - 1 degrees of freedom, weighted by rows.
 *
 * @returns null if the batches differ, if there are fewer than two, or without the metric
 */
export function clusteredDifference(
  before: BatchValues,
  after: BatchValues,
  metric: string,
): Interval | null {
  const { rows } = before;
  const [were, are] = [before.values[metric], after.values[metric]];
  if (were === undefined || are === undefined || rows.length < 2) return null;
  if (rows.length !== after.rows.length || rows.some((one, at) => one !== after.rows[at])) {
    return null;
  }
  const total = rows.reduce((sum, one) => sum + one, 0);
  const changes = are.map((one, at) => one - were[at]!);
  const mean = changes.reduce((sum, one, at) => sum + (rows[at]! / total) * one, 0);
  const spread = changes.reduce((sum, one, at) => {
    return sum + ((rows[at]! / total) * (one - mean)) ** 2;
  }, 0);
  const batches = rows.length;
  const error = Math.sqrt((spread * batches) / (batches - 1));
  const half = studentQuantile(0.975, batches - 1) * error;
  return [mean - half, mean + half];
}
