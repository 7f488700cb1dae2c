// Which pairs of a batch the gold source labels in D2PO (Singhal et al. 2024, arXiv:2405.01511,
// algorithm 1), and how far the discriminator, which labels all others, agreed with it beforehand.

import type { PreferencePair } from './preference-pairs.ts';
import { expectLength, type Numbers } from './rollout.ts';

/**
 * How many more pairs the gold source is to label: a share of all prompts so far, rounded up, so
 * that the first batch has one and small batches come to their share over time.
 */
export function goldPairsDue(
  { share, budget }: { share: number; budget: number | null },
  { prompts, labelled }: { prompts: number; labelled: number },
): number {
  // 0.1 * 30 is a little more than 3: that is no pair of its own.
  const wanted = Math.ceil(Number((share * prompts).toFixed(9)));
  return Math.max(0, Math.min(wanted, budget ?? Number.POSITIVE_INFINITY) - labelled);
}

/**
 * @param margins [P]: how sure the discriminator is of each pair
 * @param order of chance, [P]: the first ones are drawn, and stand first among equal margins
 * @param how `uncertain`: those of the smallest margins
 * @returns places of the pairs that the gold source labels
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
  /** The better answer first, by gold; `margin` is the gap of its rewards. */
  pairs: PreferencePair[];
  /** Pairs of equal rewards, which teach nothing. */
  ties: number;
  /**
   * Of `pairs`, how many the discriminator had the same way round; where it had no preference, a
   * half.
   */
  agreed: number;
}

/**
 * Pairs as gold has them.
 * @param pairs as the discriminator has them
 * @param rewards by sequence
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
