// Which of several answers a model or a reward prefers. The formulas are those of RewardBench
// (rewardbench/utils.py and rewardbench/rewardbench_v2.py).
import type { MetricValue } from './metrics.ts';

/** Scores of the answers to one prompt; higher is better. */
export interface ScoredAnswers {
  chosen: readonly number[];
  rejected: readonly number[];
}

/**
 * Whether the right answers win. Of a pair, the chosen one has to score strictly higher. Of best of
 * n, a right answer has to score highest, and shares with those that score the same.
 */
export function preferenceValue({ chosen, rejected }: ScoredAnswers): number {
  if (chosen.length === 1 && rejected.length === 1) return Number(chosen[0]! > rejected[0]!);
  const all = [...chosen, ...rejected];
  const most = Math.max(...all);
  const best = all.filter((score) => score === most).length;
  return chosen.filter((score) => score === most).length / best;
}

interface TieNumbers {
  accurate: number;
  /** Worst right answer minus best wrong one. */
  margin: number;
  /** Best right answer minus worst right one. */
  spread: number;
}

function tieNumbers({ chosen, rejected }: ScoredAnswers): TieNumbers {
  const [worst, wrong] = [Math.min(...chosen), Math.max(...rejected)];
  return {
    accurate: Number(worst > wrong),
    margin: worst - wrong,
    spread: Math.max(...chosen) - worst,
  };
}

/**
 * RewardBench 2's score of a prompt with several right answers (`tied`) and the same kind of prompt
 * with one (`ref`): right answers should win by more than they differ among themselves. The
 * benchmark's score is the mean over prompts.
 */
export function tiesScore(ref: ScoredAnswers, tied: ScoredAnswers): number {
  const [one, many] = [tieNumbers(ref), tieNumbers(tied)];
  const hard = Math.min(one.margin, many.margin);
  const size = Math.tanh(hard / many.spread - 1);
  return (
    0.3 * many.accurate +
    0.3 * one.accurate +
    0.2 * Number(many.margin > many.spread) +
    0.2 * Number(hard > many.spread) +
    0.01 * (Number.isNaN(size) ? 0 : size)
  );
}

/** Values of a row by its scores. */
export function preferenceValues(scores: ScoredAnswers): Record<string, MetricValue> {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    accuracy: preferenceValue(scores),
    margin: mean(scores.chosen) - mean(scores.rejected),
  };
}
