// Rejection sampling on a rollout batch: which of its answers are trained on.
import { type KeepRule, keptAnswers } from '../../objectives/online/kept-answers.ts';
import type { Numbers } from '../../objectives/online/rollout.ts';
import { moments } from '../../objectives/online/whitening.ts';
import type { RolloutBatch } from '../../rollouts/rollout-batch.ts';

/**
 * Gives the answers that are kept the advantage 1 and the others 0, and trains on no others. The
 * batch's metrics count them.
 * @param ranked [S] what the rule goes by
 * @param rewards [S] what is told of
 */
export function markKept(
  batch: RolloutBatch,
  rule: KeepRule,
  ranked: Numbers,
  rewards: Numbers,
): void {
  const { layout, numbers } = batch;
  const kept = keptAnswers(layout, ranked, rule);
  const marks = new Float64Array(layout.sequences);
  for (const sequence of kept) marks[sequence] = 1;
  numbers.advantages = layout.spread(marks);
  batch.units = kept.map((sequence) => [sequence]);
  const prompts = new Set(kept.map((sequence) => layout.groups[sequence]));
  batch.metrics['kept/answers'] = kept.length;
  batch.metrics['kept/prompts_left_out'] = layout.members().size - prompts.size;
  if (kept.length === 0) return;
  batch.metrics['kept/reward'] = moments(kept.map((sequence) => rewards[sequence]!)).mean;
}
