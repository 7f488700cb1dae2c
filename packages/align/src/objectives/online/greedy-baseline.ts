// ReMax (Li et al. 2023, arXiv:2310.10505, section 4): the baseline of a prompt is the reward of
// its greedy completion. Any number that does not depend on the sample leaves the gradient
// unbiased; this one follows the policy.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

/**
 * R_i - reward of the greedy completion of the same prompt
 * @param rewards [S]
 * @param greedy the reward of each prompt's greedy completion, by group id; with or without KL,
 *   like `rewards`
 * @returns [S]
 * @throws RangeError for a prompt without a greedy reward
 */
export function greedyBaselineAdvantages(
  layout: RolloutLayout,
  rewards: Numbers,
  greedy: ReadonlyMap<number, number>,
): Float64Array {
  expectLength(rewards, layout.sequences, 'rewards', 'sequences');
  expectFinite(rewards, 'the reward of sequence');
  return Float64Array.from(layout.groups, (group, sequence) => {
    const baseline = greedy.get(group);
    if (baseline === undefined || !Number.isFinite(baseline)) {
      throw new RangeError(`prompt ${group} has no reward for its greedy completion`);
    }
    return rewards[sequence]! - baseline;
  });
}
