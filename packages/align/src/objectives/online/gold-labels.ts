// Chooses the pairs of a batch that the gold source labels in D2PO (Singhal et al. 2024,
// arXiv:2405.01511, algorithm 1), and measures how often the discriminator, which labels the
// others, agreed with it.

import type { PreferencePair } from './preference-pairs.ts';
import { expectLength, type Numbers } from './rollout.ts';

/**
 * The number of further pairs for the gold source to label: a share of all prompts so far, rounded
 * up, so that the first batch has one and small batches reach their share over time.
 */
export function goldPairsDue(
  { share, budget }: { share: number; budget: number | null },
  { prompts, labelled }: { prompts: number; labelled: number },
): number {
  // 0.1 * 30 is slightly more than 3: the excess must not count as a pair.
  const wanted = Math.ceil(Number((share * prompts).toFixed(9)));
  return Math.max(0, Math.min(wanted, budget ?? Number.POSITIVE_INFINITY) - labelled);
}

/**
 * @param margins [P]: the discriminator's confidence in each pair
 * @param order random permutation, [P]: the first ones are chosen, and come first among equal
 *   margins
 * @param how `uncertain` chooses those with the smallest margins
 * @returns indices of the pairs for the gold source to label
 */
export function chooseGold(
  margins: Numbers,
  order: ArrayLike<number>,
  { count, how }: { count: number; how: 'random' | 'uncertain' },
): number[] {
  expectLength(order as Numbers, margins.length, 'order', 'pairs');
  const places = Array.from(order);
  if (how === 'uncertain') places.sort((a, b) => margins[a]! - margins[b]!);
  return places.slice(0, count);
}

export interface GoldPairs {
  /** Pairs with the answer that gold prefers as chosen; `margin` is the gap of gold rewards. */
  pairs: PreferencePair[];
  /** Pairs with equal rewards, which are not trained on. */
  ties: number;
  /** How many of `pairs` the discriminator ordered the same way; no preference counts half. */
  agreed: number;
}

/**
 * Orders pairs by their gold rewards.
 * @param pairs as ordered by the discriminator
 * @param rewards gold reward of each sequence
 */
export function goldPairs(
  pairs: readonly PreferencePair[],
  rewards: { get(sequence: number): number | undefined },
): GoldPairs {
  const found: GoldPairs = { pairs: [], ties: 0, agreed: 0 };
  for (const { chosen, rejected, margin } of pairs) {
    const gap = rewards.get(chosen)! - rewards.get(rejected)!;
    if (!Number.isFinite(gap)) throw new RangeError(`the gap of gold rewards is ${gap}`);
    if (gap === 0) {
      found.ties += 1;
      continue;
    }
    found.pairs.push(
      gap > 0
        ? { chosen, rejected, margin: gap }
        : { chosen: rejected, rejected: chosen, margin: -gap },
    );
    if (margin === 0) found.agreed += 0.5;
    else if (gap > 0) found.agreed += 1;
  }
  return found;
}
