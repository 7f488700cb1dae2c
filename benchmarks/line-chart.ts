// A line chart as SVG, for the results, with a linear x axis or one in powers of two.

export interface LineChart {
  title: string;
  x: readonly number[];
  /** Scale of x (default: `powers` of two). */
  scale?: 'powers' | 'even';
  /** Highest y (default: the maximum of the lines). */
  top?: number;
  /** Lowest y (default: 0). */
  from?: number;
  lines: readonly { label: string; values: readonly number[] }[];
}

const [width, height, left, bottom, top, right] = [640, 320, 56, 40, 36, 150];
const colours = ['#0b6e4f', '#c8553d', '#3d5a80', '#7a5195'];

export function lineChart({
  title,
  x,
  scale = 'powers',
  top: most,
  from = 0,
  lines,
}: LineChart): string {
  const highest = (most ?? Math.max(...lines.flatMap((line) => line.values))) - from;
  const step = 10 ** Math.floor(Math.log10(highest));
  const unit = highest / step < 2.5 ? step / 4 : step / 2;
  const end = Math.ceil(highest / unit) * unit;
  const measure = scale === 'powers' ? Math.log2 : (value: number) => value;
  const [first, last] = [measure(x[0]!), measure(x.at(-1)!)];
  const atX = (value: number): string =>
    (left + ((measure(value) - first) / (last - first)) * (width - left - right)).toFixed(1);
  const atY = (value: number): string =>
    (height - bottom - (Math.min(value - from, end) / end) * (height - bottom - top)).toFixed(1);
  const labels = labelPlaces(lines.map(({ values }) => Number(atY(values.at(-1)!))));
  const ticks = Array.from(
    { length: Math.round(end / unit) + 1 },
    (_, index) => from + index * unit,
  );
  const parts = [
    ...ticks.map(
      (tick) =>
        `<path d="M${left} ${atY(tick)}H${width - right}" stroke="#ddd"/><text x="${left - 8}" y="${atY(tick)}" dy=".35em" text-anchor="end">${Number(tick.toPrecision(3))}</text>`,
    ),
    ...x.map(
      (value) =>
        `<text x="${atX(value)}" y="${height - bottom + 20}" text-anchor="middle">${value}</text>`,
    ),
    ...lines.map(({ label, values }, index) => {
      const colour = colours[index % colours.length];
      const points = values.map((value, at) => `${atX(x[at]!)},${atY(value)}`).join(' ');
      return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${width - right + 8}" y="${labels[index]!.toFixed(1)}" dy=".35em" fill="${colour}">${label}</text>`;
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><title>${title}</title>
<rect width="${width}" height="${height}" fill="#fff"/><text x="${left}" y="20" font-size="14">${title}</text>
${parts.join('\n')}
</svg>
`;
}

/** Heights of labels, moved up if they would overlap. */
function labelPlaces(wanted: readonly number[]): number[] {
  const places = [...wanted];
  let free = height;
  for (const index of [...wanted.keys()].sort((a, b) => wanted[b]! - wanted[a]!)) {
    places[index] = Math.min(wanted[index]!, free);
    free = places[index]! - 14;
  }
  return places;
}
