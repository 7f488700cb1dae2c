import { formatNumber, formatShare } from './format.ts';
import { html, type Markup } from './markup.ts';
import { plotAxis, plotColours, spreadLabels } from './plot-axis.ts';

/** Points of several groups, each with its mean. */
export interface ScatterPlot {
  title: string;
  x: { label: string; unit: 'share' | 'number' };
  y: { label: string; unit: 'share' | 'number' };
  groups: readonly ScatterGroup[];
}

export interface ScatterGroup {
  label: string;
  /** One per seed. */
  points: readonly { name: string; x: number; y: number }[];
  /** Interval of the mean's y. */
  interval: readonly [low: number, high: number] | null;
}

const [width, height, left, right, bottom, top] = [720, 400, 64, 150, 48, 20];
const marks = ['circle', 'square', 'diamond'] as const;

/**
 * A plot as a standalone SVG: small marks are seeds, linked to the mean of their group; whiskers
 * are its 95% interval.
 */
export function scatterPlot({ title, x, y, groups }: ScatterPlot): Markup {
  const means = groups.map(({ points }) => ({
    x: mean(points.map((point) => point.x)),
    y: mean(points.map((point) => point.y)),
  }));
  const across = plotAxis(
    [0, ...groups.flatMap(({ points }) => points.map((point) => point.x))],
    [left, width - right],
  );
  const up = plotAxis(
    groups.flatMap(({ points, interval }) => [
      ...points.map((point) => point.y),
      ...(interval ?? []),
    ]),
    [height - bottom, top],
  );
  const show = (unit: 'share' | 'number', value: number): string =>
    unit === 'share' ? formatShare(value) : formatNumber(Number(value.toPrecision(6)));
  const labels = spreadLabels(
    means.map((point) => Number(up.at(point.y))),
    [top, height - bottom],
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12" fill="#7a8390">
<title>${title}</title>
${up.ticks.map(
  (
    tick,
  ) => html`<path d="M${left} ${up.at(tick)}H${width - right}" stroke="#8888" stroke-width="0.5"/><text x="${left - 8}" y="${up.at(tick)}" dy=".35em" text-anchor="end">${show(y.unit, tick)}</text>
`,
)}${across.ticks.map(
  (
    tick,
  ) => html`<path d="M${across.at(tick)} ${height - bottom}v5" stroke="#8888"/><text x="${across.at(tick)}" y="${height - bottom + 20}" text-anchor="middle">${show(x.unit, tick)}</text>
`,
)}<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${x.label}</text>
<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
${groups.map((group, at) => {
  const colour = plotColours[at % plotColours.length]!;
  const own = means[at]!;
  const [cx, cy] = [across.at(own.x), up.at(own.y)];
  return html`<g fill="${colour}" stroke="${colour}">
${group.interval && html`<path d="M${cx} ${up.at(group.interval[0])}V${up.at(group.interval[1])}" stroke-opacity="0.45" stroke-width="2"/>`}
${group.points.length > 1 && group.points.map((point) => html`<path d="M${cx} ${cy}L${across.at(point.x)} ${up.at(point.y)}" stroke-opacity="0.5"/><circle cx="${across.at(point.x)}" cy="${up.at(point.y)}" r="3" stroke="none"><title>${point.name}: ${show(y.unit, point.y)}, ${formatNumber(point.x)}</title></circle>`)}
${mark(marks[Math.floor(at / plotColours.length) % marks.length]!, Number(cx), Number(cy))}
<path d="M${cx} ${cy}L${width - right + 10} ${labels[at]!.toFixed(1)}" stroke-opacity="0.25" stroke-dasharray="2 3"/>
<text x="${width - right + 14}" y="${labels[at]!.toFixed(1)}" dy=".35em" stroke="none">${group.label}</text>
</g>
`;
})}</svg>
`;
}

function mark(kind: (typeof marks)[number], x: number, y: number): Markup {
  if (kind === 'circle') return html`<circle cx="${x}" cy="${y}" r="6" stroke="none"/>`;
  const turn = kind === 'diamond' ? ` rotate(45)` : '';
  return html`<rect x="-5" y="-5" width="10" height="10" stroke="none" transform="translate(${x} ${y})${turn}"/>`;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
