// Measures how well lengths alone predict the chosen answer of a pair.
import {
  type LengthOnlyAccuracy,
  lengthOnlyAccuracy,
  type PairLengths,
  type Proportion,
  wilsonInterval,
} from '@keel/statistics';

export type LengthUnit = 'tokens' | 'characters';

export interface PairFacts {
  /** Pairs, and pairs of answers with different ranks. */
  count: number;
  unit: LengthUnit;
  chosenLonger: number;
  chosenShorter: number;
  sameLength: number;
  /** Accuracy of the rule "the longer answer is the chosen one"; equal lengths count one half. */
  longerWins: Proportion;
  /** The better one of "the longer" and "the shorter answer wins". */
  lengthRule: { prefers: 'longer' | 'shorter'; accuracy: number };
  /** Rules that see only lengths, fitted on the training pairs; null without held-out pairs. */
  onHeldOut: LengthOnlyAccuracy | null;
}

/** @returns null without pairs */
export function pairFacts(
  pairs: readonly PairLengths[],
  heldOut: readonly PairLengths[],
  unit: LengthUnit,
): PairFacts | null {
  const count = pairs.length;
  if (count === 0) return null;
  const [chosenLonger, chosenShorter] = [1, -1].map(
    (sign) => pairs.filter(({ chosen, rejected }) => sign * (chosen - rejected) > 0).length,
  ) as [number, number];
  const sameLength = count - chosenLonger - chosenShorter;
  const right = chosenLonger + sameLength / 2;
  const value = right / count;
  return {
    ...{ count, unit, chosenLonger, chosenShorter, sameLength },
    longerWins: { value, count, interval: wilsonInterval(right, count) },
    lengthRule: {
      prefers: value < 0.5 ? 'shorter' : 'longer',
      accuracy: Math.max(value, 1 - value),
    },
    onHeldOut: heldOut.length === 0 ? null : lengthOnlyAccuracy(pairs, heldOut),
  };
}

/** The lengths of every two answers with different ranks. */
export function pairsOf(
  lengths: readonly number[],
  ranks: readonly number[] | null,
): PairLengths[] {
  if (ranks === null) return [];
  return lengths.flatMap((chosen, better) =>
    lengths.flatMap((rejected, worse) =>
      ranks[better]! < ranks[worse]! ? [{ chosen, rejected }] : [],
    ),
  );
}
