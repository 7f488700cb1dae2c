/** Numbers from `from` to `to`, inclusive. */
export interface Bin {
  from: number;
  to: number;
  count: number;
}

/** How whole numbers, such as lengths, are distributed. */
export interface Distribution {
  count: number;
  mean: number;
  min: number;
  median: number;
  p90: number;
  p99: number;
  max: number;
  /** Each bin but the first is twice as wide as the one before it. */
  bins: Bin[];
}

/** Counts whole numbers; memory grows with how many different ones there are. */
export class Counts {
  readonly #counts = new Map<number, number>();

  add(value: number): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  /** null without numbers. */
  distribution(): Distribution | null {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    if (sorted.length === 0) return null;
    const count = sorted.reduce((sum, [, times]) => sum + times, 0);
    const total = sorted.reduce((sum, [value, times]) => sum + value * times, 0);
    /** The smallest value that at least this share of the numbers does not exceed. */
    const at = (share: number): number => {
      let seen = 0;
      for (const [value, times] of sorted) {
        seen += times;
        if (seen >= share * count) return value;
      }
      return sorted.at(-1)![0];
    };
    return {
      ...{ count, mean: total / count, min: sorted[0]![0], median: at(0.5) },
      ...{ p90: at(0.9), p99: at(0.99), max: sorted.at(-1)![0] },
      bins: binsOf(sorted),
    };
  }
}

/** Width of the first bin, which starts at 0. */
const FIRST_WIDTH = 16;

function binsOf(sorted: readonly (readonly [value: number, times: number])[]): Bin[] {
  const bins: Bin[] = [];
  for (const [value, times] of sorted) {
    for (;;) {
      const last = bins.at(-1);
      if (last !== undefined && value <= last.to) break;
      const from = last === undefined ? 0 : last.to + 1;
      const to = last === undefined ? FIRST_WIDTH - 1 : 2 * last.to + 1;
      bins.push({ from, to, count: 0 });
    }
    bins.at(-1)!.count += times;
  }
  const first = bins.findIndex(({ count }) => count > 0);
  return bins.slice(first);
}
