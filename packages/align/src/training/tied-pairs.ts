// Pairs whose answers have the same reward. In a step they count as wrong, as in TRL. In an
// evaluation they count half. Before the first step, policy and reference are the same, so every
// pair is tied, and an accuracy of 0% would be wrong.
import type { Metrics } from './training-task.ts';

/** @param pairs number of pairs that were compared, for intervals */
export const tiesAsHalf = (metrics: Metrics, pairs: number): Metrics => ({
  ...metrics,
  'rewards/accuracies': accuracyOf(metrics)!,
  'rewards/pairs': pairs,
});

/** The accuracy of a step with ties as half; undefined for a run without one. */
export function accuracyOf(metrics: Metrics): number | undefined {
  const right = metrics['rewards/accuracies'];
  return right === undefined ? undefined : right + (metrics['rewards/ties'] ?? 0) / 2;
}
