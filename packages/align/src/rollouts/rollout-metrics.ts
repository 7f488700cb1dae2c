// Metrics of a rollout batch, named as in TRL.
import { samplerMismatch } from '../objectives/online/policy-drift.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { Metrics } from '../training/training-task.ts';
import type { Judgement } from './judge-samples.ts';
import type { Rollouts } from './rollouts.ts';
import type { Sample } from './sample-rollouts.ts';

const mean = (values: ArrayLike<number>): number => moments(values).mean;

/**
 * @param rewards after scaling and clipping; empty if none was judged
 * @param nonScore what the KL to the reference subtracts; null without one
 */
export function rewardMetrics(rewards: ArrayLike<number>, nonScore: number | null): Metrics {
  if (rewards.length === 0) return {};
  const { mean: reward, variance } = moments(rewards);
  return {
    reward,
    reward_std: Math.sqrt(variance),
    ...(nonScore !== null && {
      'objective/non_score_reward': nonScore,
      'objective/rlhf_reward': reward + nonScore,
    }),
  };
}

/**
 * Lengths, ends and scores of answers.
 * @param judged the judged answers: all of them, or some
 */
export function answerMetrics(samples: readonly Sample[], { scores, aspects }: Judgement): Metrics {
  const lengths = samples.map(({ tokens }) => tokens.length);
  const ended = samples.filter((one) => one.ended);
  const metrics: Metrics = {
    ...(scores.length > 0 && { 'objective/scores': mean(scores) }),
    eos_rate: ended.length / samples.length,
    'completions/mean_length': mean(lengths),
    'completions/min_length': Math.min(...lengths),
    'completions/max_length': Math.max(...lengths),
    'completions/clipped_ratio': 1 - ended.length / samples.length,
  };
  if (ended.length > 0) {
    const own = ended.map(({ tokens }) => tokens.length);
    metrics['completions/mean_terminated_length'] = mean(own);
  }
  const names = new Set(aspects.flatMap((one) => Object.keys(one)));
  for (const name of names) {
    const values = aspects.flatMap((one) => one[name] ?? []);
    metrics[`rewards/${name}/mean`] = mean(values);
  }
  return metrics;
}

/**
 * [S] KL of each answer to the reference, the sum of its tokens' log-ratios, in nats; null without
 * a reference.
 */
export function answerKl({ layout, logprobs: { old, reference } }: Rollouts): Float64Array | null {
  if (old === null || reference === null) return null;
  return layout.sums(old.map((one, token) => one - reference[token]!));
}

/**
 * Metrics of a batch's log-probabilities.
 * @param comparable whether the sampler's are at the same temperature
 */
export function logprobMetrics(
  rollouts: Rollouts,
  klCoefficient: number,
  { comparable }: { comparable: boolean },
): Metrics {
  const { layout, logprobs } = rollouts;
  const { old, sampler } = logprobs;
  const surprise = layout.sums(old ?? sampler).map((sum) => -sum);
  const metrics: Metrics = { 'objective/entropy': mean(surprise) };
  const kl = answerKl(rollouts);
  if (kl !== null) {
    metrics['objective/kl'] = mean(kl);
    metrics['objective/kl_coefficient'] = klCoefficient;
  }
  if (old !== null && comparable)
    Object.assign(metrics, mismatchMetrics(samplerMismatch(sampler, old)));
  return metrics;
}

/** Difference between the log-probabilities of the sampler and of the training path. */
export const mismatchMetrics = (found: { mean: number; largest: number }): Metrics => ({
  'sampling/sampling_logp_difference/mean': found.mean,
  'sampling/sampling_logp_difference/max': found.largest,
});
