/**
 * How the rows of a step are split into passes: by a number of rows, or up to a number of tokens.
 */
export interface MicroBatchLimit {
  rows: number | null;
  tokens: number | null;
}

/**
 * Splits the rows of an optimizer step. By rows, they stay in order. By tokens, they form few
 * passes of about the same number of tokens, none above the budget (a longer row gets its own
 * pass).
 * @param lengths tokens of each row
 * @returns positions of the rows of each pass, the longest pass first
 */
export function splitMicroBatches(
  lengths: readonly number[],
  { rows, tokens }: MicroBatchLimit,
): number[][] {
  const order = lengths.map((_, index) => index);
  if (tokens === null) {
    const passes: number[][] = [];
    const size = rows ?? lengths.length;
    for (let start = 0; start < order.length; start += size)
      passes.push(order.slice(start, start + size));
    return passes;
  }
  order.sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const fitting = order.filter((index) => lengths[index]! <= tokens);
  const alone = order.slice(0, order.length - fitting.length).map((index) => [index]);
  return [...alone, ...balanced(fitting, lengths, tokens)];
}

interface Pass {
  rows: number[];
  tokens: number;
}

/**
 * Assigns rows, the longest first, each to the pass with the fewest tokens (Graham 1969, "Bounds on
 * Multiprocessing Timing Anomalies"), with the fewest passes that all stay within the budget.
 */
function balanced(
  order: readonly number[],
  lengths: readonly number[],
  budget: number,
): number[][] {
  const total = order.reduce((sum, index) => sum + lengths[index]!, 0);
  for (let count = Math.max(1, Math.ceil(total / budget)); count < order.length; count++) {
    const passes = distributed(order, lengths, count);
    if (passes.every(({ tokens }) => tokens <= budget)) return inOrder(passes);
  }
  return order.map((index) => [index]);
}

function distributed(order: readonly number[], lengths: readonly number[], count: number): Pass[] {
  const passes = Array.from({ length: count }, (): Pass => ({ rows: [], tokens: 0 }));
  for (const index of order) {
    const least = passes.reduce((a, b) => (b.tokens < a.tokens ? b : a));
    least.rows.push(index);
    least.tokens += lengths[index]!;
  }
  return passes;
}

function inOrder(passes: readonly Pass[]): number[][] {
  return passes
    .toSorted((a, b) => b.tokens - a.tokens || a.rows[0]! - b.rows[0]!)
    .map(({ rows }) => rows.toSorted((a, b) => a - b));
}
