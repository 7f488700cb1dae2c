import { shuffledOrder } from '../../data/shuffle.ts';

/**
 * Which sequences each optimiser step on a rollout batch has, epoch after epoch. Those of one prompt stay together where there are
 * as many prompts as minibatches. One minibatch is the whole batch in its order.
 * @param groups [S]
 */
export function minibatchesOf(
  groups: ArrayLike<number>,
  { epochs, minibatches, seed }: { epochs: number; minibatches: number; seed: number },
): number[][] {
  const everything = Array.from(groups, (_, sequence) => sequence);
  const prompts = new Set(Array.from(groups));
  const units =
    prompts.size >= minibatches
      ? [...prompts].map((group) => everything.filter((sequence) => groups[sequence] === group))
      : everything.map((sequence) => [sequence]);
  return Array.from({ length: epochs }, (_, epoch) => {
    if (minibatches === 1) return [everything];
    const order = shuffledOrder(units.length, seed, epoch);
    return Array.from({ length: minibatches }, (_, part) => {
      const [from, to] = [part, part + 1].map((one) =>
        Math.floor((one * units.length) / minibatches),
      );
      return [...order.subarray(from, to)].flatMap((unit) => units[unit]!);
    });
  }).flat();
}
