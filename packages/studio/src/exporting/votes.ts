// One label from the verdicts on a task.
import { type Adjudication, denseRanks, type StoredTask, type Verdict } from '../store/items.ts';

/** What a label is made of. */
export interface Labelled {
  annotations: readonly Pick<Verdict, 'choice' | 'ranks' | 'strength' | 'probability'>[];
}

/** The verdicts that make the label: those of people, or the one that settled the task. */
export const labelling = ({ annotations, adjudication }: StoredTask): Labelled =>
  adjudication === null ? { annotations } : { annotations: [asVote(adjudication)] };

const asVote = ({ choice, ranks, strength }: Adjudication): Labelled['annotations'][number] => ({
  ...{ choice, ranks, strength, probability: null },
});

/**
 * The mean rating of each answer by aspect, over those who rated it; null for answers that nobody
 * rated. Ratings of who settled the task outrank those of the others.
 */
export function meanRatings(task: StoredTask): Record<string, (number | null)[]> {
  const means: Record<string, (number | null)[]> = {};
  const given = task.annotations.map(({ ratings }) => ratings ?? {});
  const settled = task.adjudication?.ratings ?? {};
  for (const aspect of new Set([...given, settled].flatMap((one) => Object.keys(one)))) {
    const lists = aspect in settled ? [settled[aspect]!] : given.map((one) => one[aspect]);
    means[aspect] = task.answers.map((_, at) => {
      const values = lists.flatMap((list) => list?.[at] ?? []);
      return values.length === 0 ? null : mean(values);
    });
  }
  return means;
}

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
export function pairVotes({ annotations }: Labelled): PairVotes | null {
  const votes = annotations.filter(({ choice }) => choice !== null);
  if (votes.length === 0) return null;
  const count = (wanted: string): number => votes.filter(({ choice }) => choice === wanted).length;
  const [left, right, bothBad] = [count('left'), count('right'), count('both_bad')];
  const sign = { left: 1, right: -1 } as const;
  const signs = votes.map(({ choice }) => sign[choice as 'left' | 'right'] ?? 0);
  const probabilities = votes.map((one, at) => one.probability ?? (1 + signs[at]!) / 2);
  const strengths = votes.flatMap(({ strength }, at) =>
    strength == null ? [] : signs[at]! * strength,
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
export function meanRanks({ annotations }: Labelled): number[] | null {
  const ranks = annotations.flatMap(({ ranks: one }) => (one == null ? [] : [one]));
  if (ranks.length === 0) return null;
  const sums = ranks[0]!.map((_, at) => ranks.reduce((sum, one) => sum + one[at]!, 0));
  return denseRanks(sums);
}

/** P(the answer is good) over the verdicts; null if there is none. */
export function thumbProbability({ annotations }: Labelled): number | null {
  const votes = annotations.filter(({ choice }) => choice !== null);
  if (votes.length === 0) return null;
  return mean(votes.map(({ choice, probability }) => probability ?? Number(choice === 'up')));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
