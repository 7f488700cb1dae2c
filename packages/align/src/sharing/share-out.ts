/**
 * Divides work among processes, so that all finish at about the same time: the most expensive item
 * first, each to the share with the least so far (Graham 1969, "Bounds on Multiprocessing Timing
 * Anomalies").
 * @param costs of each item
 * @returns places of the items of each share, in order; a share that has an earlier item is first.
 *   With fewer items than shares, the last ones are empty
 */
export function shareOut(costs: readonly number[], shares: number): number[][] {
  const found = Array.from({ length: shares }, (): { items: number[]; cost: number } => ({
    items: [],
    cost: 0,
  }));
  const order = costs.map((_, at) => at).sort((a, b) => costs[b]! - costs[a]! || a - b);
  for (const item of order) {
    const least = found.reduce((a, b) => (b.cost < a.cost ? b : a));
    least.items.push(item);
    least.cost += costs[item]!;
  }
  const first = ({ items }: { items: number[] }): number => Math.min(...items);
  return found
    .map((share) => ({ ...share, items: share.items.toSorted((a, b) => a - b) }))
    .toSorted((a, b) => (first(a) < first(b) ? -1 : 1))
    .map(({ items }) => items);
}

/**
 * Divides items into ranges of about the same length.
 * @returns [start, end) of each share: one range, or none where there are fewer items than shares
 */
export const rangesOf = (items: number, shares: number): [number, number][][] =>
  Array.from({ length: shares }, (_, at) => {
    const [start, end] = [at, at + 1].map((one) => Math.floor((one * items) / shares));
    return start === end ? [] : [[start!, end!]];
  });
