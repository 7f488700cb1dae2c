// Whether a reward model tells answers apart or their lengths: its accuracy by how much the lengths
// differ, and on which side the longer answer stands. Where it follows length, it is right where
// the chosen answer is the longer one and wrong where it is the shorter one, whatever its accuracy
// over all.
import { quantile } from './intervals.ts';
import { hitOf, type Proportion, proportionOf } from './proportion.ts';

/** What a reward model gave to the answers of a pair, and their lengths in any one unit. */
export interface ScoredPair {
  chosen: { score: number; length: number };
  rejected: { score: number; length: number };
}

/** Pairs whose lengths differ by about as much. */
export interface LengthBucket {
  /** Smallest and largest difference of lengths, both inside; 0 to 0 is pairs of equal length */
  from: number;
  to: number;
  all: Proportion;
  /** Of the pairs whose chosen answer is the longer, and the shorter; null where there are none */
  chosenLonger: Proportion | null;
  chosenShorter: Proportion | null;
  /** How often the longer answer is the chosen one; equal lengths are half right */
  longerWins: Proportion;
}

/** How often the reward of the chosen answer is the higher one; equal rewards are half right. */
export const accuracyOf = (pairs: readonly ScoredPair[]): Proportion | null =>
  proportionOf(pairs.map(({ chosen, rejected }) => hitOf(chosen.score - rejected.score)));

/** The rule "the longer answer wins"; equal lengths are half right. */
export const longerWins = (pairs: readonly ScoredPair[]): Proportion | null =>
  proportionOf(pairs.map(({ chosen, rejected }) => hitOf(chosen.length - rejected.length)));

/**
 * Whether the longer answer has the higher reward, whichever was chosen: 1, 0, or one half where
 * either is equal.
 */
export const rewardPrefersLonger = ({ chosen, rejected }: ScoredPair): number =>
  hitOf((chosen.score - rejected.score) * Math.sign(chosen.length - rejected.length));

/**
 * Accuracy by difference of lengths, the smallest difference first.
 * @param edges where buckets begin, rising and above 0; unless told, quantiles of the differences,
 *   so that buckets hold about as many pairs
 * @param buckets how many, where no edges are given; equal lengths are one more
 * @throws RangeError for edges that do not rise from above 0
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
        `length differences' edges are to rise from above 0: ${bounds.join(', ')}`,
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

/** Edges between buckets of about as many pairs; fewer where many differences are equal. */
function quantileEdges(sorted: readonly number[], buckets: number): number[] {
  if (sorted.length === 0) return [];
  const inner = Array.from({ length: buckets - 1 }, (_, index) =>
    Math.ceil(quantile(sorted, (index + 1) / buckets)),
  );
  return [...new Set(inner)].filter((edge) => edge > sorted[0]!);
}
