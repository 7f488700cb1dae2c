// Colours of lines: distinguishable for colour-blind people, on light and on dark.

const light = [
  ...['#0b7285', '#c2410c', '#5b3fb5', '#2f7d32', '#b4236a', '#8a6100'],
  ...['#1d63c9', '#6b6f76', '#a83232', '#00786c'],
];
const dark = [
  ...['#4cc3d9', '#ff9a5c', '#b19cff', '#7fd483', '#ff86bb', '#e3b341'],
  ...['#79b0ff', '#b4bac2', '#ff8f8f', '#4fd1c0'],
];

/** The colour of a line by its place. After ten lines the colours repeat, with other dashes. */
export const colourOf = (at: number, isDark: boolean): string =>
  (isDark ? dark : light)[at % light.length]!;

const dashes = [undefined, [6, 3], [2, 3], [10, 3, 2, 3]];

/** The dashes of a line by its place; undefined: none. */
export const dashOf = (at: number): number[] | undefined =>
  dashes[Math.floor(at / light.length) % dashes.length];
