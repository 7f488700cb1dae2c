import type { MetricsRow } from '../metrics.ts';
import { formatNumber } from './format.ts';

/** Change of the mean log-probability of answers from the start of a run to its end. */
export interface Displacement {
  chosen: readonly [first: number, last: number];
  rejected: readonly [first: number, last: number];
  /**
   * Held-out rows if there are two evaluations or more, otherwise the first and last tenth of
   * training.
   */
  on: 'held-out' | 'training';
  /** Both fell: the data's answers lost probability to answers outside the data. */
  displaced: boolean;
}

/** Whether both chosen and rejected answers became less likely; null if the rows do not show it. */
export function likelihoodDisplacement(rows: readonly MetricsRow[]): Displacement | null {
  for (const on of ['held-out', 'training'] as const) {
    const prefix = on === 'held-out' ? 'eval_' : '';
    const chosen = ends(rows, `${prefix}logps/chosen`, on);
    const rejected = ends(rows, `${prefix}logps/rejected`, on);
    if (!chosen || !rejected) continue;
    const displaced = chosen[1] < chosen[0] && rejected[1] < rejected[0];
    return { chosen, rejected, on, displaced };
  }
  return null;
}

/** Describes it in words. */
export function explainDisplacement({ chosen, rejected, on, displaced }: Displacement): string {
  const course = `On ${on} pairs, chosen went from ${formatNumber(chosen[0])} to ${formatNumber(chosen[1])} and rejected from ${formatNumber(rejected[0])} to ${formatNumber(rejected[1])}.`;
  if (displaced) {
    return `${course} Both fell, which is likelihood displacement: the margin grew because rejected answers fell more, and probability moved to answers outside the data.`;
  }
  return chosen[1] >= chosen[0]
    ? `${course} Chosen answers did not become less likely: no likelihood displacement.`
    : `${course} Only the chosen answers fell: the run moved away from the preferred answers.`;
}

function ends(
  rows: readonly MetricsRow[],
  name: string,
  on: Displacement['on'],
): [number, number] | null {
  const values = rows.map((row) => row[name]).filter((value) => Number.isFinite(value)) as number[];
  if (values.length < 2) return null;
  const count = on === 'held-out' ? 1 : Math.max(1, Math.floor(values.length / 10));
  const mean = (part: number[]): number =>
    part.reduce((sum, value) => sum + value, 0) / part.length;
  return [mean(values.slice(0, count)), mean(values.slice(-count))];
}
