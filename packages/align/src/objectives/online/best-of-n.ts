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
export const expectedBestOfN = (rewards: Numbers, n: number): number =>
  expectedOfBest(rewards, rewards, n);

/**
 * The same for another number of the answer that is best by its reward, such as its gold reward
 * under a proxy. Of answers with equal rewards, each is equally often the best.
 * @param rewards [N] that choose
 * @param values [N] that are estimated
 * @throws RangeError for fewer than n samples, or for lists of different lengths
 */
export function expectedOfBest(rewards: Numbers, values: Numbers, n: number): number {
  positive(n);
  expectFinite(rewards, 'the reward of sample');
  expectFinite(values, 'the value of sample');
  const total = rewards.length;
  if (values.length !== total) {
    throw new RangeError(
      `${total} rewards and ${values.length} values are not of the same samples`,
    );
  }
  if (total < n) throw new RangeError(`the best of ${n} cannot be estimated from ${total} samples`);
  const falling = Array.from(rewards, (reward, at) => ({ reward, value: values[at]! }));
  falling.sort((one, other) => other.reward - one.reward);
  // Probability that the best of a subset of n is at index k: C(total - 1 - k, n - 1) / C(total,
  // n).
  let chance = n / total;
  let expected = 0;
  for (let place = 0; place < total; ) {
    // Answers with the same reward share their probability.
    let [sum, mass, end] = [0, 0, place];
    for (; end < total && falling[end]!.reward === falling[place]!.reward; end++) {
      sum += falling[end]!.value;
      mass += chance;
      chance *= Math.max(0, total - end - n) / (total - 1 - end || 1);
    }
    expected += (mass * sum) / (end - place);
    place = end;
  }
  return expected;
}
