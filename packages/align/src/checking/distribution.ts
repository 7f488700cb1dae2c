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
  /** In ascending order, without gaps. */
  bins: Bin[];
}

/** Counts whole numbers. Memory grows with the number of different ones. */
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
    const [min, p99, max] = [sorted[0]![0], at(0.99), sorted.at(-1)![0]];
    return {
      ...{ count, mean: total / count, min, median: at(0.5), p90: at(0.9), p99, max },
      bins: binsOf(sorted, { min, p99, max }),
    };
  }
}

/** The approximate number of bins. */
const BINS = 10;

/**
 * Bins of the same width, a round number, up to the 99th percentile; the last one reaches to the
 * largest number.
 */
function binsOf(
  sorted: readonly (readonly [value: number, times: number])[],
  { min, p99, max }: Pick<Distribution, 'min' | 'p99' | 'max'>,
): Bin[] {
  const width = roundWidth((p99 - min + 1) / BINS);
  const first = Math.floor(min / width);
  const last = Math.floor(p99 / width);
  const bins = Array.from({ length: last - first + 1 }, (_, index): Bin => {
    const from = (first + index) * width;
    return { from, to: from + width - 1, count: 0 };
  });
  for (const [value, times] of sorted) {
    bins[Math.min(Math.floor(value / width), last) - first]!.count += times;
  }
  const end = bins.at(-1)!;
  end.to = Math.max(end.to, max);
  return bins;
}

/** The smallest of 1, 2, 5, 10, 20, 50, … that is at least this. */
function roundWidth(least: number): number {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (factor * power >= least) return factor * power;
  }
}
