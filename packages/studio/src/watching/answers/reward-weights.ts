// The weights of the reward functions of a TRL run.
import { optionOf, type RunConfig } from '../describing/config.ts';
import type { Columns } from '../numbers/columns.ts';

/** Rounding of means must not hide that a sum is plain. */
const SAME = 1e-4;

/**
 * Weights as TRL adds what the functions gave.
 * @param functions in the order of their columns
 * @param config of the run; null: it recorded none
 * @returns null if nothing says them: several functions, no arguments, and means that do not add up
 */
export function rewardWeights(
  functions: readonly string[],
  columns: Columns,
  config: RunConfig | null,
): number[] | null {
  const plain = functions.map(() => 1);
  if (functions.length === 1 && config === null) return plain;
  const given = optionOf(config, 'reward_weights');
  if (Array.isArray(given)) {
    const whole = given.length === functions.length && given.every((one) => Number.isFinite(one));
    return whole ? (given as number[]) : null;
  }
  // TRL leaves out what is not set: then all weights are 1.
  if (config !== null) return plain;
  const means = functions.map((name) => columns.get(`rewards/${name}/mean`));
  const reward = columns.get('reward');
  const step = reward?.steps.at(-1);
  if (reward === undefined || step === undefined) return null;
  const at = means.map((mean) => mean?.values[mean.steps.indexOf(step)] ?? Number.NaN);
  const sum = at.reduce((total, one) => total + one, 0);
  return Math.abs(sum - reward.values.at(-1)!) < SAME ? plain : null;
}
