// How certain the labels of rows are: the field `label_probability` of pairs and of single answers.
import { isDesirable, likelier } from '../data/label-probability.ts';
import type { Row } from '../data/rows.ts';

export interface LabelProbabilities {
  /** Rows with a probability. */
  rows: number;
  /** Mean of max(p, 1 - p): 1 for certain labels, 0.5 for coin flips. */
  certainty: number;
  mean: number;
  min: number;
  max: number;
  /**
   * Rows whose label is the less probable one: `rejected` of a pair is better, or true is wrong.
   */
  against: number;
  /** Rows with a probability of exactly one half. */
  even: number;
  /** Ten of equal width; the last one includes 1. */
  bins: { from: number; to: number; count: number }[];
}

const BINS = 10;

export class ProbabilityCounts {
  readonly #bins = new Array<number>(BINS).fill(0);
  readonly #sums = { rows: 0, certainty: 0, mean: 0, min: 1, max: 0, against: 0, even: 0 };

  /** Counts a row; one without a probability has no effect. */
  add(row: Row): void {
    if (!('label_probability' in row) || row.label_probability === undefined) return;
    const probability = row.label_probability;
    const sums = this.#sums;
    sums.rows++;
    sums.certainty += Math.max(probability, 1 - probability);
    sums.mean += probability;
    sums.min = Math.min(sums.min, probability);
    sums.max = Math.max(sums.max, probability);
    const direction = likelier(probability);
    if (direction === 0) sums.even++;
    else if ('label' in row ? isDesirable(row) !== row.label : direction < 0) sums.against++;
    this.#bins[Math.min(BINS - 1, Math.floor(probability * BINS))]! += 1;
  }

  /** null if no row has a probability. */
  facts(): LabelProbabilities | null {
    const { rows, certainty, mean, ...others } = this.#sums;
    if (rows === 0) return null;
    const bins = this.#bins.map((count, at) => ({ from: at / BINS, to: (at + 1) / BINS, count }));
    return { rows, certainty: certainty / rows, mean: mean / rows, ...others, bins };
  }
}

/**
 * `label_probability in 480 of 500 rows, mean certainty 0.81`, and how many labels are improbable.
 * @param all number of rows
 */
export function probabilitiesText(
  { rows, certainty, against, even }: LabelProbabilities,
  all: number,
): string {
  const parts = [
    `label_probability in ${rows} of ${all} rows`,
    `mean certainty ${certainty.toFixed(2)}`,
    ...(against > 0 ? [`the label is the less probable one in ${against}`] : []),
    ...(even > 0 ? [`both are equally probable in ${even}`] : []),
  ];
  return parts.join(', ');
}
