import { shuffledOrder } from '../data/shuffle.ts';
import type { Unit } from './training.ts';

/**
 * The units that each optimizer step on a rollout batch trains on, epoch after epoch. Units of one
 * prompt stay together if there are at least as many prompts as minibatches. A single minibatch has
 * all units in order.
 * @param groups [S]: the prompt of each sequence
 * @returns never an empty step: with fewer units than minibatches, each unit is a step; without
 *   units there is no step
 */
export function minibatchesOf(
  units: readonly Unit[],
  groups: ArrayLike<number>,
  { epochs, minibatches, seed }: { epochs: number; minibatches: number; seed: number },
): Unit[][] {
  const byPrompt = Map.groupBy(units, ([first]) => groups[first!]!);
  const blocks = byPrompt.size >= minibatches ? [...byPrompt.values()] : units.map((one) => [one]);
  const steps = Math.min(minibatches, blocks.length);
  return Array.from({ length: epochs }, (_, epoch) => {
    if (steps < 2) return blocks.length > 0 ? [blocks.flat()] : [];
    const order = shuffledOrder(blocks.length, seed, epoch);
    return Array.from({ length: steps }, (_, part) => {
      const [from, to] = [part, part + 1].map((one) => Math.floor((one * blocks.length) / steps));
      return [...order.subarray(from, to)].flatMap((block) => blocks[block]!);
    });
  }).flat();
}
