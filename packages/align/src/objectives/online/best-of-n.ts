// The KL and the expected reward of best-of-n, computed without training.
import { expectFinite, type Numbers } from './rollout.ts';

function positive(n: number): void {
  if (!Number.isInteger(n) || n < 1) {
    throw new RangeError(`best-of-n needs a whole n of at least 1, got ${n}`);
  }
}

/**
 * log n - (n - 1)/n, in nats: KL(best-of-n || policy) if no two completions tie (Stiennon et al.
 * 2020, arXiv:2009.01325, appendix G.3). With ties, as with few possible completions, it is an
 * upper bound (Beirami et al. 2024, arXiv:2401.01879, theorem 3.1).
 */
export function bestOfNKl(n: number): number {
  positive(n);
  return Math.log(n) - (n - 1) / n;
}

/**
 * Unbiased estimate of the expected reward of the best of n, from N >= n samples of one prompt
 * (WebGPT, Nakano et al. 2021, arXiv:2112.09332, appendix I): the mean of the best over all subsets
 * of n.
 * @throws RangeError for fewer than n samples
 */
export function expectedBestOfN(rewards: Numbers, n: number): number {
  positive(n);
  expectFinite(rewards, 'the reward of sample');
  const total = rewards.length;
  if (total < n) throw new RangeError(`the best of ${n} cannot be estimated from ${total} samples`);
  const falling = Float64Array.from(rewards).sort().reverse();
  // Probability that the best of a subset of n is at index k: C(total - 1 - k, n - 1) / C(total,
  // n).
  let chance = n / total;
  let expected = 0;
  for (let place = 0; place + n <= total; place++) {
    expected += chance * falling[place]!;
    chance *= (total - place - n) / (total - 1 - place || 1);
  }
  return expected;
}
