// Measures whether a reward model judges answers or just their lengths: its accuracy by length
// difference, and by which answer is longer. A model that follows length is right if the chosen
// answer is longer and wrong if it is shorter, whatever its overall accuracy.
import { quantile } from './intervals.ts';
import { hitOf, type Proportion, proportionOf } from './proportion.ts';

/** A reward model's scores of a pair's answers, and their lengths in any one unit. */
export interface ScoredPair {
  chosen: { score: number; length: number };
  rejected: { score: number; length: number };
  /**
   * Probability that chosen is the better answer (default: 1): a rule is right if it picks the more
   * probable one; at one half, any rule is half right
   */
  probability?: number;
}

/** Pairs with similar length differences. */
export interface LengthBucket {
  /** Smallest and largest length difference, inclusive; 0 to 0 for pairs of equal length */
  from: number;
  to: number;
  all: Proportion;
  /** Accuracy on pairs whose chosen answer is longer, and shorter; null if there are none */
  chosenLonger: Proportion | null;
  chosenShorter: Proportion | null;
  /** How often the longer answer is the chosen one; equal lengths count as half right */
  longerWins: Proportion;
}

/** 1 for certain labels and for those of chosen, -1 if rejected is the more probable answer. */
const direction = ({ probability = 1 }: ScoredPair): number => Math.sign(probability - 0.5);

/** Whether the higher reward is that of the better answer: 1, 0, or one half if undecided. */
export const rewardIsRight = (pair: ScoredPair): number =>
  hitOf((pair.chosen.score - pair.rejected.score) * direction(pair));

/** Whether the longer answer is the better one: 1, 0, or one half if undecided. */
export const longerIsRight = (pair: ScoredPair): number =>
  hitOf((pair.chosen.length - pair.rejected.length) * direction(pair));

/** How often the better answer has the higher reward; equal rewards count as half right. */
export const accuracyOf = (pairs: readonly ScoredPair[]): Proportion | null =>
  proportionOf(pairs.map(rewardIsRight));

/** Accuracy of the rule "the longer answer wins"; equal lengths count as half right. */
export const longerWins = (pairs: readonly ScoredPair[]): Proportion | null =>
  proportionOf(pairs.map(longerIsRight));

/**
 * Whether the longer answer has the higher reward, whichever was chosen: 1, 0, or one half if
 * lengths or rewards are equal.
 */
export const rewardPrefersLonger = ({ chosen, rejected }: ScoredPair): number =>
  hitOf((chosen.score - rejected.score) * Math.sign(chosen.length - rejected.length));

/**
 * Accuracy by length difference, smallest difference first.
 * @param edges where buckets start, positive and increasing (default: quantiles of the differences,
 *   so that buckets have about equal numbers of pairs)
 * @param buckets number of buckets if no edges are given; equal lengths are an additional one
 * @throws RangeError for edges that are not positive and increasing
 */
export function lengthBuckets(
  pairs: readonly ScoredPair[],
  { edges, buckets = 4 }: { edges?: readonly number[]; buckets?: number } = {},
): LengthBucket[] {
  const differenceOf = ({ chosen, rejected }: ScoredPair): number =>
    Math.abs(chosen.length - rejected.length);
  const differences = pairs.map(differenceOf).filter((difference) => difference > 0);
  differences.sort((a, b) => a - b);
  const bounds = edges ?? quantileEdges(differences, buckets);
  for (const [index, edge] of bounds.entries()) {
    if (!(edge > (bounds[index - 1] ?? 0))) {
      throw new RangeError(
        `bucket edges must be positive and increasing, got ${bounds.join(', ')}`,
      );
    }
  }
  const parts = Array.from({ length: bounds.length + 2 }, (): ScoredPair[] => []);
  for (const pair of pairs) {
    const difference = differenceOf(pair);
    const above = bounds.filter((edge) => edge <= difference).length;
    parts[difference === 0 ? 0 : 1 + above]!.push(pair);
  }
  return parts.flatMap((part) => {
    const [all, rule] = [accuracyOf(part), longerWins(part)];
    if (all === null || rule === null) return [];
    const sizes = part.map(differenceOf);
    const side = (sign: number): Proportion | null =>
      accuracyOf(
        part.filter(({ chosen, rejected }) => (chosen.length - rejected.length) * sign > 0),
      );
    return [
      {
        from: sizes.reduce((least, size) => Math.min(least, size)),
        to: sizes.reduce((most, size) => Math.max(most, size)),
        all,
        chosenLonger: side(1),
        chosenShorter: side(-1),
        longerWins: rule,
      },
    ];
  });
}

/**
 * Edges between buckets with about equal numbers of pairs; fewer edges if many differences are
 * equal.
 */
function quantileEdges(sorted: readonly number[], buckets: number): number[] {
  if (sorted.length === 0) return [];
  const inner = Array.from({ length: buckets - 1 }, (_, index) =>
    Math.ceil(quantile(sorted, (index + 1) / buckets)),
  );
  return [...new Set(inner)].filter((edge) => edge > sorted[0]!);
}
