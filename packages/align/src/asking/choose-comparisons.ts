// Which pairs of answers to have compared: some are drawn at random from all, so that what is
// measured on them holds for all, and the others are those that a verdict teaches most about.
import type { ComparisonValue } from '@keel/statistics';
import { shuffledOrder } from '../data/shuffle.ts';

/** What a pair is chosen by; the numbers of {@link ComparisonValue}. */
export const askedBy = ['disagreement', 'information', 'uncertainty'] as const;
export type AskedBy = (typeof askedBy)[number];

/** Two answers to a prompt that could be compared. */
export interface Candidate {
  /** Index of the prompt. */
  prompt: number;
  /** Places of the answers. */
  answers: readonly [number, number];
}

/** A candidate, and what its verdict is expected to tell. */
export interface ValuedCandidate {
  candidate: Candidate;
  value: ComparisonValue;
}

export interface ChosenComparison extends Candidate {
  why: AskedBy | 'random';
  value: ComparisonValue;
}

export interface ChoiceOptions {
  count: number;
  by: AskedBy;
  /** Share of `count` that is drawn at random. */
  randomShare: number;
  /** Maximum pairs of one prompt. */
  perPrompt: number;
  seed: number;
}

/**
 * @param valued pairs of different answers
 * @returns at most `count`, in random order, with the answers of each in random order
 */
export function chooseComparisons(
  valued: readonly ValuedCandidate[],
  { count, by, randomShare, perPrompt, seed }: ChoiceOptions,
): ChosenComparison[] {
  const random = [...shuffledOrder(valued.length, seed, 0)].map((at) => valued[at]!);
  // Equal values in random order.
  const best = random.toSorted((a, b) => b.value[by] - a.value[by]);
  const taken = new Map<number, number>();
  const chosen = new Map<Candidate, ChosenComparison>();
  const take = (
    order: readonly ValuedCandidate[],
    most: number,
    why: ChosenComparison['why'],
  ): void => {
    for (const { candidate, value } of order) {
      if (chosen.size >= most) return;
      const { prompt } = candidate;
      if (chosen.has(candidate) || (taken.get(prompt) ?? 0) >= perPrompt) continue;
      taken.set(prompt, (taken.get(prompt) ?? 0) + 1);
      chosen.set(candidate, { ...candidate, why, value });
    }
  };
  take(random, Math.round(count * randomShare), 'random');
  take(best, count, by);
  const found = [...chosen.values()];
  return [...shuffledOrder(found.length, seed, 1)].map((at, place) =>
    turned(found[at]!, shuffledOrder(2, seed, 2 + place)[0] === 1),
  );
}

/** The same with the answers in the other order, so that neither place means anything. */
function turned(chosen: ChosenComparison, other: boolean): ChosenComparison {
  if (!other) return chosen;
  const [one, two] = chosen.answers;
  const { value } = chosen;
  return {
    ...chosen,
    answers: [two, one],
    value: { ...value, probability: 1 - value.probability },
  };
}
