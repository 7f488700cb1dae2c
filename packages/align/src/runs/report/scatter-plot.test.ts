import { expect, it } from 'vitest';
import { type ScatterGroup, scatterPlot } from './scatter-plot.ts';

const group = (label: string, ...points: [number, number][]): ScatterGroup => ({
  label,
  points: points.map(([x, y], at) => ({ name: `${label} ${at}`, x, y })),
  interval: null,
});
const plot = (...groups: ScatterGroup[]): string =>
  scatterPlot({
    title: 'Wins & KL',
    x: { label: 'KL', unit: 'number' },
    y: { label: 'wins', unit: 'share' },
    groups,
  }).text;

it('draws one mark per group, linked to its seeds, and whiskers', () => {
  const text = plot(group('a', [1, 0.5], [3, 0.7]), {
    ...group('b', [2, 0.4]),
    interval: [0.2, 0.6],
  });
  expect(text).toContain('<title>Wins &amp; KL</title>');
  expect(text.match(/r="6"/g)).toHaveLength(2);
  expect(text.match(/r="3"/g)).toHaveLength(2);
  expect(text.match(/stroke-opacity="0.45"/g)).toHaveLength(1);
  expect(text).toContain('a 1: 70%, 3.00');
  expect(text).not.toContain('NaN');
});

it('draws axes for points at one position and for a single point', () => {
  for (const text of [plot(group('a', [0, 0.5])), plot(group('a', [1, 1]), group('b', [1, 1]))]) {
    expect(text).not.toMatch(/NaN|Infinity/);
  }
});

it('does not let labels overlap', () => {
  const text = plot(...Array.from({ length: 9 }, (_, at) => group(`g${at}`, [at, 0.5])));
  const heights = [...text.matchAll(/<text x="584" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(heights).toHaveLength(9);
  const sorted = heights.toSorted((a, b) => a - b);
  for (const [at, y] of sorted.slice(1).entries()) expect(y - sorted[at]!).toBeGreaterThan(15);
});
