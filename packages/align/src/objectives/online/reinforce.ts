// REINFORCE (Williams 1992, eq. 11) over completions: the loss -(R - b) log p of each token, whose
// sum over a completion is -(R - b) log p(y). The baseline here is the batch's mean;
// `RunningBaseline` keeps one across batches.
import type { Tensor } from '@keel/torch';
import { expectFinite, type Numbers } from './rollout.ts';
import { moments } from './whitening.ts';

/**
 * @param policy [N] log-probabilities, with a gradient
 * @param advantages [N]
 * @returns [N]
 */
export const reinforceLoss = (policy: Tensor, advantages: Tensor): Tensor =>
  policy.mul(advantages.detach()).neg();

/**
 * R minus the batch's mean. The mean includes each completion's own reward, so the gradient is (S -
 * 1)/S times the unbiased one.
 * @param rewards [S]
 * @throws RangeError for a single completion, whose advantage would always be 0
 */
export function batchBaselineAdvantages(rewards: Numbers): Float64Array {
  expectFinite(rewards, 'the reward of sequence');
  if (rewards.length < 2) {
    throw new RangeError(
      'the mean of one completion is its own reward: sample at least 2, or use a running baseline',
    );
  }
  const { mean } = moments(rewards);
  return Float64Array.from(rewards, (reward) => reward - mean);
}
