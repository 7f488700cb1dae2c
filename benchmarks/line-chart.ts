// A line chart as SVG, for the results: x on a scale of powers of two, y from zero.

export interface LineChart {
  title: string;
  x: readonly number[];
  lines: readonly { label: string; values: readonly number[] }[];
}

const [width, height, left, bottom, top, right] = [640, 320, 56, 40, 36, 150];
const colours = ['#0b6e4f', '#c8553d', '#3d5a80', '#7a5195'];

export function lineChart({ title, x, lines }: LineChart): string {
  const highest = Math.max(...lines.flatMap((line) => line.values));
  const step = 10 ** Math.floor(Math.log10(highest));
  const unit = highest / step < 2.5 ? step / 4 : step / 2;
  const end = Math.ceil(highest / unit) * unit;
  const [first, last] = [Math.log2(x[0]!), Math.log2(x.at(-1)!)];
  const atX = (value: number): string =>
    (left + ((Math.log2(value) - first) / (last - first)) * (width - left - right)).toFixed(1);
  const atY = (value: number): string =>
    (height - bottom - (value / end) * (height - bottom - top)).toFixed(1);
  const ticks = Array.from({ length: Math.round(end / unit) + 1 }, (_, index) => index * unit);
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
      return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${width - right + 8}" y="${atY(values.at(-1)!)}" dy=".35em" fill="${colour}">${label}</text>`;
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><title>${title}</title>
<rect width="${width}" height="${height}" fill="#fff"/><text x="${left}" y="20" font-size="14">${title}</text>
${parts.join('\n')}
</svg>
`;
}
