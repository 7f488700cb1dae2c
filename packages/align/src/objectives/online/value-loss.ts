// The critic's loss. PPO's paper (Schulman et al. 2017, arXiv:1707.06347, eq. 9) has (V - R)^2; the
// clipped form is that of OpenAI's code (baselines, ppo2) and TRL, which also halve it:
//   1/2 max((V - R)^2, (clip(V, V_old - range, V_old + range) - R)^2)
import { ops, type Tensor } from '@keel/torch';
import { expectLength, type Numbers } from './rollout.ts';
import { moments } from './whitening.ts';

/**
 * @param values [N], with a gradient
 * @param returns [N]
 * @param old [N], the values at the time of the rollout; used only with a range
 * @param range how far a value may move from `old` before it is clipped; null for no clipping
 * @returns [N]
 */
export function valueLoss(
  { values, returns, old }: { values: Tensor; returns: Tensor; old: Tensor },
  range: number | null,
): Tensor {
  const target = returns.detach();
  const plain = values.sub(target).square(); // [N]
  if (range === null) return plain.mul(0.5);
  if (!(range > 0)) throw new RangeError(`the value clip range must be above 0, got ${range}`);
  const start = old.detach();
  const clipped = start.add(values.sub(start).clamp(-range, range)); // [N]
  return ops.maximum(plain, clipped.sub(target).square()).mul(0.5);
}

/**
 * 1 - Var(R - V) / Var(R): 1 if the critic predicts the return exactly, 0 if it is no better than
 * the mean, below 0 if it is worse.
 * @returns null if all returns are the same: there is no variance to explain
 */
export function explainedVariance(values: Numbers, returns: Numbers): number | null {
  expectLength(values, returns.length, 'values', 'returns');
  const { variance } = moments(returns);
  if (variance === 0) return null;
  const rest = Float64Array.from(returns, (one, token) => one - values[token]!);
  return 1 - moments(rest).variance / variance;
}
