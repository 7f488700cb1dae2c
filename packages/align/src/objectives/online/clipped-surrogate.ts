// PPO's clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, eq. 7), as a loss:
//   -min(r A, clip(r, 1 - low, 1 + high) A)
// with separate lower and upper ranges (DAPO's clip-higher, arXiv:2503.14476, eq. 10), and the dual
// clip (Ye et al. 2020, arXiv:1912.09729, eq. 5), which bounds the cost of a negative advantage at
// a large ratio: max(..., c A) for A < 0. TRL's `delta` (INTELLECT-2, arXiv:2505.07291, "two-sided
// GRPO clipping") is equivalent: min(r, delta) A for all A.
import { ops, type Tensor } from '@keel/torch';

export interface ClipOptions {
  /** The ratio is clipped below at 1 - low. PPO: 0.2 */
  low: number;
  /** The ratio is clipped above at 1 + high. PPO: 0.2, DAPO: 0.28 */
  high: number;
  /** c of the dual clip, above 1 + high; null for no dual clip. Ye et al.: 3 */
  dual?: number | null;
}

export interface Surrogate {
  /** [N], with a gradient */
  loss: Tensor;
  /** [N] of 0 and 1: tokens whose gradient was clipped. Their mean is TRL's `clip_fraction`. */
  clipped: Tensor;
}

/**
 * @param ratio [N] policy/old (`importanceRatio`), with a gradient
 * @param advantages [N]
 */
export function clippedSurrogate(
  ratio: Tensor,
  advantages: Tensor,
  { low, high, dual = null }: ClipOptions,
): Surrogate {
  if (!(low >= 0 && low <= 1))
    throw new RangeError(`the lower clip must be from 0 to 1, got ${low}`);
  if (!(high >= 0)) throw new RangeError(`the upper clip must be at least 0, got ${high}`);
  if (dual !== null && !(dual > 1 + high)) {
    throw new RangeError(`the dual clip must be above 1 + ${high}, got ${dual}`);
  }
  const gain = advantages.detach(); // [N]
  const free = ratio.mul(gain); // [N]
  const held = ratio.clamp(1 - low, 1 + high).mul(gain); // [N]
  const least = ops.minimum(free, held); // [N]
  const cut = held.detach().lt(free.detach()); // [N]
  if (dual === null) return { loss: least.neg(), clipped: cut.to(ratio.dtype) };
  const floor = gain.mul(dual); // [N]
  const below = ops.logicalAnd(gain.lt(0), least.detach().lt(floor)); // [N]
  return {
    loss: ops.whereSelf(below, floor, least).neg(),
    clipped: ops.logicalOr(cut, below).to(ratio.dtype),
  };
}
