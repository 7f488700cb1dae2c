// Answers that a row orders, but that are the same tokens: nothing can be learned from such an order.

/** Whether two answers are the same tokens. */
export const sameTokens = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((token, at) => token === other[at]);

/**
 * Two answers of different rank that are the same tokens, the better one first; null where there
 * are none.
 * @param answers with their ranks in `ranks`, which never fall
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
