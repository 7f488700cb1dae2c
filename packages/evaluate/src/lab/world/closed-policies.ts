// Policies on a prompt whose possible answers are all known, with their probabilities under the
// initial policy: KL and expected rewards are exact.

/** A prompt's answers. */
export interface KnownAnswers {
  /** [A] under the initial policy; they sum to 1 */
  probabilities: readonly number[];
  /** [A] the reward that is optimised */
  proxy: readonly number[];
}

/**
 * The best of n by the proxy: P = F(r)^n - F(r-)^n for the answers with the reward r, where F is
 * the share of answers with at most this reward. Answers with equal rewards are equally often the
 * best for their probability (Beirami et al. 2024, arXiv:2401.01879, lemma 1).
 * @returns [A] probabilities
 */
export function bestOfNPolicy({ probabilities, proxy }: KnownAnswers, n: number): number[] {
  if (!(n >= 1)) throw new RangeError(`expected at least one sample, got ${n}`);
  const order = [...proxy.keys()].sort((one, other) => proxy[one]! - proxy[other]!);
  const found = new Array<number>(proxy.length).fill(0);
  let below = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && proxy[order[end]!] === proxy[order[start]!]) end += 1;
    const level = order.slice(start, end);
    const mass = level.reduce((sum, at) => sum + probabilities[at]!, 0);
    const upTo = end === order.length ? 1 : below + mass;
    const share = upTo ** n - below ** n;
    for (const at of level) found[at] = mass === 0 ? 0 : (share * probabilities[at]!) / mass;
    below = upTo;
    start = end;
  }
  return found;
}

/**
 * The optimum of E[r] - b KL(policy || initial): initial exp(r / b) / Z, what RL with a KL penalty
 * aims at.
 * @returns [A] probabilities
 */
export function tiltedPolicy({ probabilities, proxy }: KnownAnswers, beta: number): number[] {
  if (!(beta > 0)) throw new RangeError(`expected a beta above 0, got ${beta}`);
  const highest = Math.max(...proxy.filter((_, at) => probabilities[at]! > 0));
  const weights = probabilities.map((one, at) =>
    one === 0 ? 0 : one * Math.exp((proxy[at]! - highest) / beta),
  );
  const sum = weights.reduce((total, one) => total + one, 0);
  return weights.map((one) => one / sum);
}

/** KL(policy || initial) in nats. */
export function exactKl(policy: readonly number[], initial: readonly number[]): number {
  const sum = policy.reduce(
    (total, one, at) => (one === 0 ? total : total + one * Math.log(one / initial[at]!)),
    0,
  );
  // Rounding can leave a policy that is the initial one with less than nothing.
  return Math.max(0, sum);
}

/** The expected value of an answer. */
export const expected = (policy: readonly number[], values: readonly number[]): number =>
  policy.reduce((sum, one, at) => sum + one * values[at]!, 0);
