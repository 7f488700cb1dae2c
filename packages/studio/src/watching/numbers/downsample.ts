// Fewer points of a curve, for a chart.

/** Points of a curve: finite numbers by step, and values that are not. */
export interface Points {
  steps: number[];
  values: number[];
  /** NaN and infinities, which a chart marks rather than draws. */
  nonFinite: { step: number; value: 'NaN' | 'Infinity' | '-Infinity' }[];
}

/** A part of a curve. */
export interface Part {
  /** First step (default: the curve's). */
  from?: number;
  /** Last step (default: the curve's). */
  to?: number;
  /** About how many points (default: all). */
  points?: number;
}

/**
 * The lowest and the highest value of each stretch of steps, so that no spike is lost, and always
 * the first and the last point. Stretches start at multiples of a power of two: points that were
 * shown before do not move when more are added, unless the stretches double.
 * @param steps in ascending order
 */
export function downsample(
  steps: readonly number[],
  values: readonly number[],
  { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, points }: Part = {},
): Points {
  const start = firstAtLeast(steps, from);
  const end = firstAtLeast(steps, to, true);
  const width = widthOf(steps, start, end, points ?? Number.POSITIVE_INFINITY);
  const result: Points = { steps: [], values: [], nonFinite: [] };
  const keep = (at: number): void => {
    result.steps.push(steps[at]!);
    result.values.push(values[at]!);
  };
  const finite = (at: number): boolean => Number.isFinite(values[at]);
  let first = -1;
  let last = -1;
  for (let at = start; at < end; at++) {
    if (!finite(at)) continue;
    if (first < 0) first = at;
    last = at;
  }
  for (let at = start; at < end; ) {
    const stretch = Math.floor(steps[at]! / width);
    const kept = new Set<number>();
    let [low, high, bad] = [-1, -1, false];
    for (; at < end && Math.floor(steps[at]! / width) === stretch; at++) {
      if (!finite(at)) {
        if (!bad) result.nonFinite.push({ step: steps[at]!, value: nameOf(values[at]!) });
        bad = width > 1;
        continue;
      }
      if (low < 0 || values[at]! < values[low]!) low = at;
      if (high < 0 || values[at]! > values[high]!) high = at;
      if (at === first || at === last) kept.add(at);
    }
    for (const one of [low, high]) if (one >= 0) kept.add(one);
    for (const one of [...kept].sort((a, b) => a - b)) keep(one);
  }
  return result;
}

/** Two points for each stretch. */
function widthOf(steps: readonly number[], start: number, end: number, points: number): number {
  if (end - start <= points) return 1;
  const most = Math.max(1, Math.floor(points / 2));
  const [first, last] = [steps[start]!, steps[end - 1]!];
  let width = 1;
  while (Math.floor(last / width) - Math.floor(first / width) + 1 > most) width *= 2;
  return width;
}

/** Index of the first step that is at least (or above) a bound. */
function firstAtLeast(steps: readonly number[], bound: number, above = false): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (above ? steps[middle]! <= bound : steps[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

const nameOf = (value: number): 'NaN' | 'Infinity' | '-Infinity' =>
  Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
