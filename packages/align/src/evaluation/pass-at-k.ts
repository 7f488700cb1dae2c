// pass@k: the probability that one of k samples passes (Chen et al. 2021, arXiv:2107.03374, eq. 1).
// Of n >= k samples of which c passed, 1 - C(n - c, k) / C(n, k) is without bias; 1 - (1 - c/n)^k,
// or trying k once, is not as good.
import { type BootstrapOptions, bootstrapMeanInterval, type Interval } from './intervals.ts';

/** Samples of one problem, and how many of them passed. */
export interface Attempts {
  samples: number;
  passed: number;
}

/**
 * Unbiased estimate for one problem, as the product of 1 - k / i over i from n - c + 1 to n, which
 * no binomial coefficient can overflow.
 * @throws RangeError for fewer samples than k, and for what is no count
 */
export function passAtK({ samples, passed }: Attempts, k: number): number {
  if (!(Number.isInteger(k) && k >= 1)) throw new RangeError(`pass@${k}: k is to be 1 or more`);
  if (
    !(Number.isInteger(samples) && Number.isInteger(passed) && 0 <= passed && passed <= samples)
  ) {
    throw new RangeError(`${passed} of ${samples} samples passed: these are no counts`);
  }
  if (samples < k) {
    throw new RangeError(`pass@${k} needs ${k} samples of each problem, got ${samples}`);
  }
  if (samples - passed < k) return 1;
  let failing = 1;
  for (let i = samples - passed + 1; i <= samples; i++) failing *= 1 - k / i;
  return 1 - failing;
}

export interface MeanPassAtK {
  k: number;
  value: number;
  /**
   * 95% bootstrap interval over problems: of other problems of the same kind, not of other samples
   * alone
   */
  interval: Interval;
  problems: number;
}

/**
 * Mean over problems.
 * @throws RangeError without problems, naming the first that has too few samples
 */
export function meanPassAtK(
  problems: readonly Attempts[],
  k: number,
  options?: BootstrapOptions,
): MeanPassAtK {
  if (problems.length === 0) throw new RangeError(`pass@${k} of no problems`);
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
