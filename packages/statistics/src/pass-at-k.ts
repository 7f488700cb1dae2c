// pass@k: the probability that one of k samples passes (Chen et al. 2021, arXiv:2107.03374, eq. 1).
// For n >= k samples of which c passed, 1 - C(n - c, k) / C(n, k) is unbiased. 1 - (1 - c/n)^k is
// biased, and a single trial of k samples has more variance.
import { type BootstrapOptions, bootstrapMeanInterval, type Interval } from './intervals.ts';

/** Samples of one problem, and how many of them passed. */
export interface Attempts {
  samples: number;
  passed: number;
}

/**
 * Unbiased estimate for one problem, as the product of 1 - k / i over i from n - c + 1 to n, which
 * avoids overflow of binomial coefficients.
 * @throws RangeError for fewer samples than k, and for invalid counts
 */
export function passAtK({ samples, passed }: Attempts, k: number): number {
  if (!(Number.isInteger(k) && k >= 1))
    throw new RangeError(`pass@${k}: k must be a positive integer`);
  if (
    !(Number.isInteger(samples) && Number.isInteger(passed) && 0 <= passed && passed <= samples)
  ) {
    throw new RangeError(`${passed} of ${samples} samples passed: these counts are invalid`);
  }
  if (samples < k) {
    throw new RangeError(`pass@${k} needs ${k} samples per problem, got ${samples}`);
  }
  if (samples - passed < k) return 1;
  let failing = 1;
  for (let i = samples - passed + 1; i <= samples; i++) failing *= 1 - k / i;
  return 1 - failing;
}

/** pass@k, averaged over problems. */
export interface MeanPassAtK {
  k: number;
  value: number;
  /**
   * 95% bootstrap interval over problems: the variation between similar problems, not only between
   * samples
   */
  interval: Interval;
  problems: number;
}

/**
 * Mean over problems.
 * @throws RangeError without problems, or for a problem with too few samples, which it names
 */
export function meanPassAtK(
  problems: readonly Attempts[],
  k: number,
  options?: BootstrapOptions,
): MeanPassAtK {
  if (problems.length === 0) throw new RangeError(`pass@${k} needs at least one problem`);
  const values = problems.map((attempts, index) => {
    try {
      return passAtK(attempts, k);
    } catch (error) {
      throw new RangeError(`problem ${index}: ${(error as Error).message}`, { cause: error });
    }
  });
  return {
    k,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    interval: bootstrapMeanInterval(values, options),
    problems: values.length,
  };
}
