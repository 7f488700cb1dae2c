// One label from the verdicts on a task.
import { denseRanks, type StoredTask } from '../store/items.ts';

export interface PairVotes {
  left: number;
  right: number;
  /** Ties, both bad ones too. */
  ties: number;
  bothBad: number;
  /** P(left is better) and P(right is): means over the verdicts, in which a tie is one half. */
  probabilities: readonly [left: number, right: number];
  /** Mean over the verdicts that have a strength, positive for left; null if none has. */
  strength: number | null;
}

/** @returns null if nobody gave a verdict */
export function pairVotes({ annotations }: Pick<StoredTask, 'annotations'>): PairVotes | null {
  const votes = annotations.filter(({ choice }) => choice !== null);
  if (votes.length === 0) return null;
  const count = (wanted: string): number => votes.filter(({ choice }) => choice === wanted).length;
  const [left, right, bothBad] = [count('left'), count('right'), count('both_bad')];
  const sign = { left: 1, right: -1 } as const;
  const signs = votes.map(({ choice }) => sign[choice as 'left' | 'right'] ?? 0);
  const probabilities = votes.map((one, at) => one.probability ?? (1 + signs[at]!) / 2);
  const strengths = votes.flatMap(({ strength }, at) =>
    strength === null ? [] : signs[at]! * strength,
  );
  return {
    ...{ left, right, bothBad, ties: votes.length - left - right },
    // Not one minus the other, which would not be exactly two thirds of three votes.
    probabilities: [mean(probabilities), mean(probabilities.map((one) => 1 - one))],
    strength: strengths.length === 0 ? null : mean(strengths),
  };
}

/** The position of the answer that most chose; null where a tie has as many votes or more. */
export function majorityOf({ left, right, ties }: PairVotes): 0 | 1 | null {
  if (left > right && left > ties) return 0;
  return right > left && right > ties ? 1 : null;
}

/** Ranks by the mean rank of each answer; null if nobody ranked them. */
export function meanRanks({ annotations }: Pick<StoredTask, 'annotations'>): number[] | null {
  const ranks = annotations.flatMap(({ ranks: one }) => (one === null ? [] : [one]));
  if (ranks.length === 0) return null;
  const sums = ranks[0]!.map((_, at) => ranks.reduce((sum, one) => sum + one[at]!, 0));
  return denseRanks(sums);
}

/** P(the answer is good) over the verdicts; null if there is none. */
export function thumbProbability({ annotations }: Pick<StoredTask, 'annotations'>): number | null {
  const votes = annotations.filter(({ choice }) => choice !== null);
  if (votes.length === 0) return null;
  return mean(votes.map(({ choice, probability }) => probability ?? Number(choice === 'up')));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
