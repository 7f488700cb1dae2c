// Proxy and gold against the root of the KL, as a standalone SVG: one panel for each method.
import {
  formatNumber,
  html,
  type Markup,
  plotAxis,
  plotColours,
  spreadLabels,
} from '@keel/align/internal';
import { overOptimisationCurve } from '@keel/statistics';
import type { AnalysedCurve, LabAnalysis } from '../curves/analyse.ts';
import { number } from './numbers.ts';
import { pointName } from './tables.ts';

const [width, panel, left, top, between, bottom] = [800, 300, 72, 34, 44, 46];
/** Width of a letter, at most. */
const LETTER = 7;
/** Points of a fitted curve. */
const SMOOTH = 60;

const titles = {
  'best-of-n': 'Best of n, with d(a - b d)',
  rl: 'RL, with d(a - b ln d)',
} as const;

export function curvesPlot({ curves }: LabAnalysis): Markup {
  const methods = (['best-of-n', 'rl'] as const).filter((method) =>
    curves.some((one) => one.method === method),
  );
  const names = [...new Set(curves.map(({ name }) => name))];
  const right = 24 + LETTER * Math.max(...names.map(({ length }) => length));
  const height = top + methods.length * (panel + between) + bottom - between;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Proxy and gold against the root of the KL" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12" fill="#7a8390">
<title>Proxy and gold against the root of the KL</title>
${methods.map((method, at) => {
  const own = curves.filter((one) => one.method === method);
  const place = { title: titles[method], from: top + at * (panel + between), right };
  return onePanel(own, place, (name) => plotColours[names.indexOf(name) % plotColours.length]!);
})}<text x="${left}" y="${height - 8}">Points and solid lines: gold with its 95% interval, and the fit. Dashed: the proxy that is optimised.</text>
</svg>
`;
}

function onePanel(
  curves: readonly AnalysedCurve[],
  { title, from, right }: { title: string; from: number; right: number },
  colourOf: (name: string) => string,
): Markup {
  const points = curves.flatMap((one) => one.points);
  const across = plotAxis([0, ...points.map(({ d }) => d)], [left, width - right]);
  const up = plotAxis(
    points.flatMap(({ gold, proxy }) => [0, proxy.value, gold.value, ...(gold.interval ?? [])]),
    [from + panel - 30, from],
  );
  const ends = curves.map((curve) => Number(up.at(curve.points.at(-1)!.gold.value)));
  const labels = spreadLabels(ends, [from + 6, from + panel - 30]);
  return html`<text x="${left}" y="${from - 12}" font-weight="600">${title}</text>
${up.ticks.map(
  (tick) =>
    html`<path d="M${left} ${up.at(tick)}H${width - right}" stroke="#8888" stroke-width="${tick === 0 ? 1.2 : 0.5}"/><text x="${left - 8}" y="${up.at(tick)}" dy=".35em" text-anchor="end">${formatNumber(tick)}</text>\n`,
)}${across.ticks.map(
  (tick) =>
    html`<path d="M${across.at(tick)} ${from + panel - 30}v5" stroke="#8888"/><text x="${across.at(tick)}" y="${from + panel - 12}" text-anchor="middle">${formatNumber(tick)}</text>\n`,
)}<text x="${width - right}" y="${from + panel + 4}" text-anchor="end">sqrt(KL), KL in nats</text>
<text transform="translate(12 ${from + panel / 2}) rotate(-90)" text-anchor="middle">rise, in standard deviations</text>
${curves.map((curve, at) => drawn(curve, { across, up, right, colour: colourOf(curve.name), label: labels[at]! }))}`;
}

type Axis = ReturnType<typeof plotAxis>;

interface Drawing {
  across: Axis;
  up: Axis;
  right: number;
  colour: string;
  label: number;
}

function drawn(
  { name, method, counts, points, fit }: AnalysedCurve,
  { across, up, right, colour, label }: Drawing,
): Markup {
  const ordered = points.toSorted((one, other) => one.d - other.d);
  const path = (places: readonly (readonly [number, number])[]): string =>
    places.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${across.at(x)} ${up.at(y)}`).join('');
  const reach = ordered.at(-1)!.d;
  const smooth = Array.from({ length: SMOOTH + 1 }, (_, at) => (reach * at) / SMOOTH);
  const last = points.at(-1)!;
  return html`<g stroke="${colour}" fill="none" stroke-width="1.6">
<path d="${path(ordered.map(({ d, proxy }) => [d, proxy.value] as const))}" stroke-dasharray="5 4" stroke-opacity="0.75"/>
${fit && html`<path d="${path(smooth.map((d) => [d, overOptimisationCurve(method, fit, d * d)] as const))}"/>`}
${ordered.map(({ at, d, kl, gold }) => html`${gold.interval && html`<path d="M${across.at(d)} ${up.at(gold.interval[0])}V${up.at(gold.interval[1])}" stroke-opacity="0.3"/>`}<circle cx="${across.at(d)}" cy="${up.at(gold.value)}" r="3" fill="${colour}" stroke="none"><title>${name}, ${pointName({ counts }, at)}: gold ${number(gold.value)} at a KL of ${number(kl)}</title></circle>\n`)}
<path d="M${across.at(last.d)} ${up.at(last.gold.value)}L${width - right + 10} ${label.toFixed(1)}" stroke-opacity="0.25" stroke-dasharray="2 3"/>
<text x="${width - right + 14}" y="${label.toFixed(1)}" dy=".35em" stroke="none" fill="${colour}">${name}</text>
</g>
`;
}
