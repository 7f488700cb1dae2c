// Finds ordered answers that are the same tokens: such an order has no effect in training.

/** Whether two answers are the same tokens. */
export const sameTokens = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((token, at) => token === other[at]);

/**
 * Two answers of different rank that are the same tokens, the better one first; null if there are
 * none.
 * @param ranks of the answers, in ascending order
 */
export function rankedTwice(
  answers: readonly { tokens: readonly number[] }[],
  ranks: readonly number[],
): [better: number, worse: number] | null {
  for (const [worse, { tokens }] of answers.entries()) {
    const better = answers.findIndex(
      (other, at) => at < worse && ranks[at] !== ranks[worse] && sameTokens(other.tokens, tokens),
    );
    if (better >= 0) return [better, worse];
  }
  return null;
}
