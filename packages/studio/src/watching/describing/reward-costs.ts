// The reward against the KL to the reference that it cost.
import type { Column } from '../numbers/columns.ts';

/** Means over a stretch of steps. */
export interface CostPoint {
  /** The last of them. */
  step: number;
  reward: number;
  /** Nats per answer. */
  kl: number;
}

/** About as many points as a reader tells apart. */
const POINTS = 200;

/**
 * Points in the order of their steps. Stretches start at multiples of a power of two, so that
 * points do not move when more are added, unless the stretches double.
 */
export function rewardCosts(reward: Column, kl: Column): CostPoint[] {
  const costs = new Map(kl.steps.map((step, at) => [step, kl.values[at]!]));
  const both = reward.steps.flatMap((step, at): CostPoint[] => {
    const point = { step, reward: reward.values[at]!, kl: costs.get(step) ?? Number.NaN };
    return Number.isFinite(point.reward) && Number.isFinite(point.kl) ? [point] : [];
  });
  let width = 1;
  const last = both.at(-1)?.step ?? 0;
  while (both.length > POINTS && last / width > POINTS) width *= 2;
  const stretches = Map.groupBy(both, ({ step }) => Math.floor(step / width));
  return [...stretches.values()].map((points) => {
    const mean = (key: 'reward' | 'kl'): number =>
      points.reduce((sum, point) => sum + point[key], 0) / points.length;
    return { step: points.at(-1)!.step, reward: mean('reward'), kl: mean('kl') };
  });
}
