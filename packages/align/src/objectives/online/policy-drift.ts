// Measures how far an update has moved the policy from the one that sampled. The rule for ending an
// update's epochs early is the one in Spinning Up and Stable-Baselines3 (1.5 times the target);
// CleanRL stops at the target itself (factor 1).
import { readTogether, type Tensor } from '@keel/torch';
import { klPerToken } from './kl-estimators.ts';
import { expectLength, type Numbers } from './rollout.ts';

export interface PolicyDrift {
  /**
   * Mean of log(old/policy) over the old policy's tokens: unbiased for KL(old || policy), may be
   * negative.
   */
  k1: number;
  /** Mean of half the squared log-ratio: TRL's `approxkl`. */
  k2: number;
  /** Mean of r - 1 - log r: CleanRL's `approx_kl`, never negative. */
  k3: number;
  /**
   * Tokens whose ratio left [1 - low, 1 + high], whatever their advantage: CleanRL's `clipfrac`.
   */
  outside: number;
}

/**
 * @param policy [N] log-probabilities now
 * @param old [N] log-probabilities at the time of the rollout
 */
export function policyDrift(
  policy: Tensor,
  old: Tensor,
  range: { low: number; high: number },
): PolicyDrift {
  return driftOf(readTogether(driftTensors(policy, old)), range);
}

/** What {@link driftOf} takes, once it is read: three means and the ratios, [N]. */
export function driftTensors(
  policy: Tensor,
  old: Tensor,
): Record<'k1' | 'k2' | 'k3' | 'ratios', Tensor> {
  const [now, before] = [policy.detach(), old.detach()];
  // The old policy sampled, so it takes the policy's role in the estimators.
  const mean = (name: 'k1' | 'k2' | 'k3'): Tensor => klPerToken(name, before, now).mean();
  return { k1: mean('k1'), k2: mean('k2'), k3: mean('k3'), ratios: now.sub(before).exp() };
}

/** @param read the numbers of {@link driftTensors} */
export function driftOf(
  { k1, k2, k3, ratios }: Record<'k1' | 'k2' | 'k3' | 'ratios', readonly number[]>,
  { low, high }: { low: number; high: number },
): PolicyDrift {
  const outside = ratios.filter((ratio) => ratio < 1 - low || ratio > 1 + high).length;
  return { k1: k1[0]!, k2: k2[0]!, k3: k3[0]!, outside: outside / ratios.length };
}

/**
 * Whether to skip the remaining epochs of an update, also if the KL is NaN. @param target null for
 * never
 */
export function exceedsKlTarget(kl: number, target: number | null, factor = 1.5): boolean {
  if (target === null) return false;
  if (!(target > 0)) throw new RangeError(`the KL target must be above 0, got ${target}`);
  return !(kl <= factor * target);
}

/**
 * Mean and largest distance between the sampler's log-probabilities and those of the training code,
 * which the ratios are based on.
 */
export function samplerMismatch(
  sampler: Numbers,
  trainer: Numbers,
): { mean: number; largest: number } {
  expectLength(sampler, trainer.length, "sampler's log-probabilities", 'scored tokens');
  const distances = Array.from(trainer, (one, token) => Math.abs(one - sampler[token]!));
  const mean = distances.reduce((sum, one) => sum + one, 0) / distances.length;
  return { mean, largest: distances.reduce((most, one) => Math.max(most, one), 0) };
}
