// Rejection sampling: which answers a supervised step is made on. RAFT (Dong et al. 2023,
// arXiv:2304.06767, algorithm 1) and Llama 2 (Touvron et al. 2023, arXiv:2307.09288, section 3.2.3)
// keep the best of each prompt's; ReST (Gulcehre et al. 2023, arXiv:2308.08998, section 3) those
// whose reward reaches a threshold. Here both, one after the other.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export interface KeepRule {
  /** The best so many of each prompt, of equal ones the first; null: all. */
  most: number | null;
  /** Rewards below it are not kept; null: none is too low. */
  threshold: number | null;
}

/**
 * @param rewards [S]
 * @returns the sequences that are kept, in their order; a prompt may have none
 */
export function keptAnswers(
  layout: RolloutLayout,
  rewards: Numbers,
  { most, threshold }: KeepRule,
): number[] {
  expectLength(rewards, layout.sequences, 'rewards', 'sequences');
  expectFinite(rewards, 'the reward of sequence');
  const kept = [...layout.members().values()].flatMap((sequences) =>
    sequences
      .filter((one) => threshold === null || rewards[one]! >= threshold)
      // Sorting is stable: of equal ones the first comes first.
      .sort((one, other) => rewards[other]! - rewards[one]!)
      .slice(0, most ?? undefined),
  );
  return kept.sort((one, other) => one - other);
}
