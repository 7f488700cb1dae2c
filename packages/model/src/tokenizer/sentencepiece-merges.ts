/**
 * The merges that a SentencePiece BPE vocabulary implies. Every split of a piece into two pieces is
 * a merge; higher scores come first, then longer parts, then smaller ids. transformers converts
 * such models in the same way.
 */
export const mergesFromScores = (
  tokens: readonly string[],
  scores: readonly number[],
): [string, string][] => {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const found: { left: string; right: string; score: number; lengths: [number, number] }[] = [];
  tokens.forEach((token, id) => {
    const characters = Array.from(token);
    const splits: [string, string, number][] = [];
    for (let border = 1; border < characters.length; border += 1) {
      const left = characters.slice(0, border).join('');
      const right = characters.slice(border).join('');
      if (ids.has(left) && ids.has(right)) splits.push([left, right, border]);
    }
    splits.sort((a, b) => ids.get(a[0])! - ids.get(b[0])! || ids.get(a[1])! - ids.get(b[1])!);
    for (const [left, right, border] of splits) {
      const lengths: [number, number] = [border, characters.length - border];
      found.push({ left, right, score: scores[id]!, lengths });
    }
  });
  // Sorting is stable, so equal merges stay in the order of the vocabulary.
  found.sort(
    (a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1],
  );
  return found.map(({ left, right }) => [left, right]);
};
