// Drawings of the report, as SVG.
import { formatShare, html, type Markup } from '@keel/align/internal';
import type { Rating } from '@keel/statistics';
import type { RatingResults } from './rate-battles.ts';

const [width, row, left, right, top] = [760, 24, 220, 40, 34];

/** Ratings with their 95% intervals, one model in each line. */
export function ratingsPlot(ratings: readonly Rating[]): Markup {
  const ends = ratings.flatMap(({ interval }) => interval).filter(Number.isFinite);
  const { ticks, at } = axis(Math.min(...ends), Math.max(...ends));
  const height = top + ratings.length * row + 8;
  const words = ratings.map(({ name, rating }) => `${name} ${Math.round(rating)}`);
  return html`<svg class="ratings-plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="Ratings with 95% intervals: ${words.join(', ')}.">
${ticks.map(
  (
    tick,
  ) => html`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="${top - 6}" y2="${height - 8}"/><text class="middle" x="${at(tick)}" y="${top - 14}">${tick}</text>
`,
)}${ratings.map(({ name, rating, interval: [low, high] }, index) => {
  const y = top + index * row + row / 2;
  return html`<g><title>${name}: ${rating.toFixed(1)}, 95% interval ${low.toFixed(1)} to ${high.toFixed(1)}</title><text class="right" x="${left - 12}" y="${y}" dy=".35em">${shortened(name, 30)}</text><line class="reach" x1="${at(low)}" x2="${at(high)}" y1="${y}" y2="${y}"/><circle cx="${at(rating)}" cy="${y}" r="4.5"/></g>
`;
})}</svg>`;
}

function axis(low: number, high: number) {
  const range = Math.max(high - low, 1);
  const power = 10 ** Math.floor(Math.log10(range / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= range / 6)!;
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step) * step || step];
  const count = Math.max(1, Math.round((to - from) / step));
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) =>
      Number((from + index * step).toPrecision(8)),
    ),
    at: (value: number): string =>
      (left + ((value - from) / (count * step)) * (width - left - right)).toFixed(1),
  };
}

/** Models beyond which a cell has no room for its number. */
const MOST_NUMBERS = 20;

/** Win rates of the row's model against the column's; a pair without battles is empty. */
export function winMatrix(
  ratings: readonly Rating[],
  { battles, wins }: RatingResults['pairs'],
): Markup {
  const cell = ratings.length <= MOST_NUMBERS ? 40 : Math.max(8, Math.floor(900 / ratings.length));
  const [side, head] = [180, 130];
  const size = ratings.length * cell;
  const numbers = cell === 40;
  return html`<svg class="win-matrix" viewBox="0 0 ${side + size + 70} ${head + size + 4}" style="max-width:${side + size + 70}px" role="img" aria-label="Win rates of each model against each other">
${ratings.map(({ name }, index) => {
  const middle = index * cell + cell / 2;
  return html`<text class="right" x="${side - 8}" y="${head + middle}" dy=".35em">${shortened(name, 24)}</text><text transform="translate(${side + middle} ${head - 8}) rotate(-50)">${shortened(name, 20)}</text>
`;
})}${ratings.map(({ name: one }, i) =>
  ratings.map(({ name: other }, j) => {
    const count = battles[i]![j]!;
    if (i === j || count === 0) return null;
    const share = wins[i]![j]! / count;
    const [x, y] = [side + j * cell, head + i * cell];
    return html`<g><title>${one} won ${formatWins(wins[i]![j]!)} of ${count} against ${other}</title><rect class="${share >= 0.5 ? 'won' : 'lost'}" x="${x}" y="${y}" width="${cell - 1}" height="${cell - 1}" fill-opacity="${(0.06 + 1.6 * Math.abs(share - 0.5)).toFixed(2)}"/>${numbers && html`<text class="middle" x="${x + (cell - 1) / 2}" y="${y + (cell - 1) / 2}" dy=".35em">${formatShare(Math.round(share * 100) / 100)}</text>`}</g>
`;
  }),
)}</svg>`;
}

const formatWins = (wins: number): string => String(Number(wins.toFixed(2)));

const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

export const plotStyle = `
.ratings-plot, .win-matrix { width: 100%; font-size: 12px; fill: var(--muted); }
.ratings-plot { max-width: 52rem; }
.ratings-plot .grid { stroke: var(--rule); }
.ratings-plot .reach { stroke: var(--first); stroke-width: 3; stroke-opacity: 0.45; }
.ratings-plot circle { fill: var(--first); }
.ratings-plot .right, .win-matrix .right { text-anchor: end; fill: var(--ink); }
.ratings-plot .middle, .win-matrix .middle { text-anchor: middle; }
.win-matrix .middle { fill: var(--ink); font-size: 11px; }
.win-matrix .won { fill: var(--first); }
.win-matrix .lost { fill: var(--second); }
`;
