// What plots share: colours, axes and places of labels.

/** Okabe and Ito's colours, dark enough for a light page and light enough for a dark one. */
export const plotColours = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#a07a00',
  '#3a9bd9',
  '#7a7a7a',
];

/** Round ticks around the values, with some margin. */
export function plotAxis(values: readonly number[], [from, to]: readonly [number, number]) {
  const finite = values.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const range = most - least || Math.abs(most) || 1;
  const rough = range / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const low = Math.floor(least / step) * step;
  const high = Math.max(low + step, Math.ceil(most / step) * step);
  const count = Math.round((high - low) / step);
  const share = (value: number): number => (value - low) / (high - low);
  return {
    ticks: Array.from({ length: count + 1 }, (_, at) => Number((low + at * step).toPrecision(10))),
    at: (value: number): string => (from + share(value) * (to - from)).toFixed(1),
  };
}

/** Positions for labels next to these heights, without overlaps, within a range. */
export function spreadLabels(
  heights: readonly number[],
  [top, bottom]: readonly [number, number],
): number[] {
  const gap = 16;
  const order = heights.map((_, at) => at).sort((a, b) => heights[a]! - heights[b]!);
  const placed = [...heights];
  order.forEach((at, place) => {
    const before = place === 0 ? top : placed[order[place - 1]!]! + gap;
    placed[at] = Math.max(placed[at]!, before);
  });
  const over = Math.max(0, placed[order.at(-1)!]! - bottom);
  return placed.map((value) => value - over);
}
