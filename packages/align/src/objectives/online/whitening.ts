// Whitening over the scored tokens of a whole rollout, before it is split into minibatches, so that
// the split has no effect (N+ implementation details of RLHF with PPO, Huang et al. 2024,
// arXiv:2403.17031, section 7; TRL's masked_whiten: variance with Bessel's correction, 1e-8 added
// to it). CleanRL whitens each minibatch instead and adds 1e-8 to the standard deviation. That is
// not done here, because packed passes would then change the result.
import { expectFinite, type Numbers } from './rollout.ts';

export interface WhiteningOptions {
  /**
   * Keep the mean and only scale (TRL's `shift_mean=False`, for rewards: their mean has a meaning).
   */
  keepMean?: boolean;
  epsilon?: number;
}

/** Mean, and variance with Bessel's correction; 0 for a single number or equal numbers. */
export function moments(values: Numbers): { mean: number; variance: number } {
  const numbers = Array.from(values);
  const { length } = numbers;
  if (length === 0) throw new RangeError('there are no numbers, so their mean is undefined');
  const mean = numbers.reduce((sum, one) => sum + one, 0) / length;
  // The mean of n times 0.35 may differ from 0.35 in the last bit. Dividing by that residue would
  // give 1.
  if (numbers.every((one) => one === numbers[0])) return { mean: numbers[0]!, variance: 0 };
  const squares = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { mean, variance: squares / (length - 1) };
}

/**
 * (x - mean) / sqrt(variance + epsilon)
 * @param values [N], of scored tokens
 */
export function whiten(
  values: Numbers,
  { keepMean = false, epsilon = 1e-8 }: WhiteningOptions = {},
): Float64Array {
  expectFinite(values, 'the value to whiten');
  const { mean, variance } = moments(values);
  const scale = 1 / Math.sqrt(variance + epsilon);
  const shift = keepMean ? mean : 0;
  return Float64Array.from(values, (one) => (one - mean) * scale + shift);
}
