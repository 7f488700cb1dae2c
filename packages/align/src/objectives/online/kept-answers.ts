// Rejection sampling: chooses the answers that a supervised step trains on. RAFT (Dong et al. 2023,
// arXiv:2304.06767, algorithm 1) and Llama 2 (Touvron et al. 2023, arXiv:2307.09288, section 3.2.3)
// keep the best answers to each prompt; ReST (Gulcehre et al. 2023, arXiv:2308.08998, section 3)
// keeps those whose reward reaches a threshold. This code applies both in turn.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export interface KeepRule {
  /** Keep the k best of each prompt, the first of equal ones; null for all. */
  most: number | null;
  /** Drop answers with a reward below this; null for no threshold. */
  threshold: number | null;
}

/**
 * @param rewards [S]
 * @returns the kept sequences in their order; a prompt may have none
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
      // Sorting is stable, so equal rewards keep their order.
      .sort((one, other) => rewards[other]! - rewards[one]!)
      .slice(0, most ?? undefined),
  );
  return kept.sort((one, other) => one - other);
}
