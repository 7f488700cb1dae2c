// Pairs for online DPO (Guo et al. 2024, arXiv:2402.04792, algorithm 1): the best and the worst of
// each prompt's completions. Labels by rank are deterministic preferences: DPO's loss then
// decreases forever as the margin grows, and its optimum puts all mass on the best completion
// instead of on pi_ref exp(r/b). Labels sampled from Bradley-Terry's probabilities
// (arXiv:2305.18290, eq. 1) have the latter optimum, but only for pairs chosen independently of the
// reward (the first two of a group). TRL's OnlineDPOTrainer compares two completions and prefers
// the first if they tie: `ties: 'first'`.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export interface PreferencePair {
  /** Indices of sequences in the rollout. */
  chosen: number;
  rejected: number;
  /** Reward of chosen minus that of rejected. */
  margin: number;
}

export interface PreferencePairs {
  pairs: PreferencePair[];
  /** Prompts whose rewards are all the same. With `skip` they make no pair. */
  ties: number;
}

function checked(layout: RolloutLayout, rewards: Numbers): Map<number, number[]> {
  expectLength(rewards, layout.sequences, 'rewards', 'sequences');
  expectFinite(rewards, 'the reward of sequence');
  const members = layout.members();
  for (const [group, sequences] of members) {
    if (sequences.length < 2) {
      throw new RangeError(`prompt ${group} has one completion, but a pair needs 2: sample more`);
    }
  }
  return members;
}

/** The sequence with the largest reward; the first of equal ones. */
const bestOf = (sequences: readonly number[], rewards: Numbers): number =>
  sequences.reduce((best, one) => (rewards[one]! > rewards[best]! ? one : best));

/**
 * The best and the worst completion of each prompt by reward; the first of equal ones.
 * @param rewards [S]
 * @throws RangeError for a prompt with one completion
 */
export function bestAndWorst(
  layout: RolloutLayout,
  rewards: Numbers,
  { ties: atTie = 'skip' }: { ties?: 'skip' | 'first' } = {},
): PreferencePairs {
  const pairs: PreferencePair[] = [];
  let ties = 0;
  for (const sequences of checked(layout, rewards).values()) {
    const chosen = bestOf(sequences, rewards);
    const worst = sequences.reduce((low, one) => (rewards[one]! < rewards[low]! ? one : low));
    const tied = rewards[chosen] === rewards[worst];
    if (tied) ties++;
    if (tied && atTie === 'skip') continue;
    const rejected = tied ? sequences[1]! : worst;
    pairs.push({ chosen, rejected, margin: rewards[chosen]! - rewards[rejected]! });
  }
  return { pairs, ties };
}

/**
 * Keeps only pairs whose rewards are far enough apart: DNO's filter (Rosset et al. 2024,
 * arXiv:2404.03715, algorithm 2).
 * @param least minimum gap of rewards, at least 0
 * @returns the remaining pairs, and the number of dropped ones
 */
export function wideEnough<Pair extends PreferencePair>(
  pairs: readonly Pair[],
  least: number,
): { pairs: Pair[]; narrow: number } {
  const kept = pairs.filter(({ margin }) => margin >= least);
  return { pairs: kept, narrow: pairs.length - kept.length };
}

/**
 * Pairs the first two completions of each prompt; the first is chosen with probability s(r_1 -
 * r_2).
 * @param uniform returns the next random number in [0, 1)
 * @throws RangeError for a prompt with one completion
 */
export function bradleyTerryPairs(
  layout: RolloutLayout,
  rewards: Numbers,
  uniform: () => number,
): PreferencePairs {
  let ties = 0;
  const pairs = [...checked(layout, rewards).values()].map((sequences): PreferencePair => {
    const [first, second] = sequences as [number, number];
    const gap = rewards[first]! - rewards[second]!;
    if (gap === 0) ties++;
    const firstWins = uniform() < 1 / (1 + Math.exp(-gap));
    return firstWins
      ? { chosen: first, rejected: second, margin: gap }
      : { chosen: second, rejected: first, margin: -gap };
  });
  return { pairs, ties };
}

/**
 * Best-of-n: the best completion of each prompt, prompts in the order of their first sequence.
 * @param rewards [S]
 */
export function bestOfEach(layout: RolloutLayout, rewards: Numbers): number[] {
  expectLength(rewards, layout.sequences, 'rewards', 'sequences');
  expectFinite(rewards, 'the reward of sequence');
  return [...layout.members().values()].map((sequences) => bestOf(sequences, rewards));
}
