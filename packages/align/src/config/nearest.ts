/**
 * Number of single-letter insertions, deletions, substitutions and swaps of neighbours that turn
 * one word into the other (optimal string alignment distance).
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let distance = Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) {
        distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/**
 * The known word nearest to a misspelt one, or null if none is near: at most four letters in ten
 * may differ. A known word that starts with the given one also counts as near.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > 100) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // People seldom mistype the first letter, so it breaks ties.
    const firstLetter = candidate.startsWith(lower.slice(0, 1)) ? 0 : 0.5;
    const distance = editDistance(lower, candidate.toLowerCase()) + firstLetter;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== null && bestDistance <= Math.floor((best.length + 1) * 0.4) + 0.5) return best;
  const extended = known.find((candidate) => lower.length > 2 && candidate.startsWith(lower));
  return extended ?? null;
}
