// Pairs of labelled answers, in an order in which every beginning covers the prompts evenly, so
// that a smaller set of pairs is the beginning of a larger one.
import { uniforms } from '@keel/align/internal';

export interface DrawnPair {
  /** The prompt's place. */
  prompt: number;
  /** Places of the better and of the worse answer by gold. */
  chosen: number;
  rejected: number;
  /** Uniform from 0 to 1: the label is flipped if it is below the noise. */
  draw: number;
}

/**
 * All pairs of answers to a prompt whose gold rewards and texts differ, shuffled: first one pair of
 * each prompt, then another of each.
 * @param prompts for each prompt the gold reward and the text of each answer
 */
export function drawPairs(
  prompts: readonly { scores: readonly number[]; texts: readonly string[] }[],
  seed: number,
): DrawnPair[] {
  const uniform = uniforms(seed);
  const pools = prompts.map(({ scores, texts }, prompt) =>
    shuffled(
      scores.flatMap((score, one) =>
        scores.flatMap((other, at) =>
          score > other && texts[one] !== texts[at] ? [{ prompt, chosen: one, rejected: at }] : [],
        ),
      ),
      uniform,
    ),
  );
  const rounds = Math.max(0, ...pools.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) =>
    shuffled(
      pools.flatMap((pool) => pool[round] ?? []),
      uniform,
    ),
  )
    .flat()
    .map((pair) => ({ ...pair, draw: uniform() }));
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], uniform: () => number): Item[] {
  const found = [...items];
  for (let at = found.length - 1; at > 0; at--) {
    const other = Math.floor(uniform() * (at + 1));
    [found[at], found[other]] = [found[other]!, found[at]!];
  }
  return found;
}
