// Passes that several processes share.
import { workers } from './workers.ts';

/** Number of processes that share the work of a step. */
export const shareCount = (): number => workers()?.size ?? 1;

/**
 * Runs `work` on the items of this process's share.
 * @param shares of all processes, in the order of ranks
 * @param work returns plain values and tensors, and changes nothing that other processes need
 * @param how `endsStep`: the gradients of the step are whole after it
 * @returns what was found for the items of all shares, in order
 */
export async function inShares<Item, Found>(
  shares: readonly (readonly Item[])[],
  work: (item: Item) => Promise<Found>,
  how: { endsStep?: boolean } = {},
): Promise<Found[]> {
  const together = workers();
  if (together !== null) {
    return (await together.gatherPasses(shares[together.rank]!, work, how)).flat();
  }
  const found: Found[] = [];
  for (const item of shares[0]!) found.push(await work(item));
  return found;
}
