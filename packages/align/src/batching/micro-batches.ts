/** How a step's rows are split into forward passes: by a number of rows, or up to a number of tokens. */
export interface MicroBatchLimit {
  rows: number | null;
  tokens: number | null;
}

/**
 * Splits the rows of an optimiser step. By rows they stay in order; by tokens rows of like length go together and
 * a pass is filled up to the budget (a row longer than the budget goes alone).
 * @param lengths tokens of each row
 * @returns positions of the rows of each pass
 */
export function splitMicroBatches(
  lengths: readonly number[],
  { rows, tokens }: MicroBatchLimit,
): number[][] {
  const order = lengths.map((_, index) => index);
  const passes: number[][] = [];
  if (tokens === null) {
    const size = rows ?? lengths.length;
    for (let start = 0; start < order.length; start += size)
      passes.push(order.slice(start, start + size));
    return passes;
  }
  order.sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  let current: number[] = [];
  let filled = 0;
  for (const index of order) {
    const length = lengths[index]!;
    if (current.length > 0 && filled + length > tokens) {
      passes.push(current);
      [current, filled] = [[], 0];
    }
    current.push(index);
    filled += length;
  }
  if (current.length > 0) passes.push(current);
  return passes;
}
