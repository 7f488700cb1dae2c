// Reward, gold, KL and length at every evaluation of a run, in one plot: panels above each other,
// with the same steps.
import { formatNumber, html, type Markup, plotAxis } from '@keel/align/internal';
import type { CoursePoint } from '../reading/run-course.ts';

const [width, left, right, top, between, bottom] = [760, 72, 110, 24, 34, 40];

interface Line {
  name: string;
  colour: string;
  of(point: CoursePoint): number | null;
}

const panels: readonly { title: string; height: number; lines: readonly Line[] }[] = [
  {
    title: 'Rise above the start, in standard deviations of the first answers',
    height: 170,
    lines: [
      { name: 'reward', colour: '#d55e00', of: ({ reward }) => reward },
      { name: 'gold', colour: '#0072b2', of: ({ gold }) => gold },
    ],
  },
  {
    title: 'KL to the reference, in nats per answer',
    height: 80,
    lines: [{ name: 'KL', colour: '#7a7a7a', of: ({ kl }) => kl }],
  },
  {
    title: 'Length of the answers, in characters',
    height: 80,
    lines: [{ name: 'length', colour: '#009e73', of: ({ length }) => length }],
  },
];

/** null with fewer than two evaluations */
export function coursePlot(course: readonly CoursePoint[]): Markup | null {
  if (course.length < 2) return null;
  const shown = panels
    .map((panel) => ({ ...panel, lines: panel.lines.filter(isKnown) }))
    .filter(({ lines }) => lines.length > 0);
  function isKnown({ of }: Line): boolean {
    return course.filter((point) => of(point) !== null).length > 1;
  }
  const heights = shown.map(({ height }) => height + between);
  const starts = heights.map((_, at) => top + heights.slice(0, at).reduce((a, b) => a + b, 0));
  const end = top + heights.reduce((a, b) => a + b, 0) - between;
  const across = plotAxis(
    course.map(({ step }) => step),
    [left, width - right],
  );
  const words = shown.flatMap(({ lines }) =>
    lines.map(({ name, of }) => `${name} ${formatNumber(of(course.at(-1)!) ?? Number.NaN)}`),
  );
  return html`<svg class="course" viewBox="0 0 ${width} ${end + bottom}" role="img" aria-label="At the last evaluation: ${words.join(', ')}." font-size="12" fill="currentColor">
${shown.map(({ title, height, lines }, at) => {
  const from = starts[at]!;
  return onePanel(course, { title, lines, across, from, to: from + height });
})}${across.ticks.map(
  (tick) =>
    html`<text x="${across.at(tick)}" y="${end + 18}" text-anchor="middle">${formatNumber(tick)}</text>\n`,
)}<text x="${width - right}" y="${end + 34}" text-anchor="end">steps</text>
</svg>`;
}

type Axis = ReturnType<typeof plotAxis>;

interface Panel {
  title: string;
  lines: readonly Line[];
  across: Axis;
  from: number;
  to: number;
}

function onePanel(
  course: readonly CoursePoint[],
  { title, lines, across, from, to }: Panel,
): Markup {
  const values = lines.flatMap(({ of }) => course.flatMap((point) => of(point) ?? []));
  const up = plotAxis([0, ...values], [to, from]);
  const last = (of: Line['of']) => course.findLast((point) => of(point) !== null)!;
  return html`<text x="${left}" y="${from - 8}" font-weight="600">${title}</text>
${up.ticks.map(
  (tick) =>
    html`<path d="M${left} ${up.at(tick)}H${width - right}" stroke="#8888" stroke-width="${tick === 0 ? 1.2 : 0.5}"/><text x="${left - 8}" y="${up.at(tick)}" dy=".35em" text-anchor="end">${formatNumber(tick)}</text>\n`,
)}${lines.map(({ name, colour, of }) => {
  const points = course.flatMap((point) => {
    const value = of(point);
    return value === null ? [] : [{ point, value }];
  });
  const path = points.map(
    ({ point, value }, at) => `${at === 0 ? 'M' : 'L'}${across.at(point.step)} ${up.at(value)}`,
  );
  const end = last(of);
  return html`<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.6"/>
${points.map(({ point, value }) => html`<circle cx="${across.at(point.step)}" cy="${up.at(value)}" r="3" fill="${colour}"><title>${name}, step ${point.step}: ${formatNumber(value)}</title></circle>\n`)}<text x="${width - right + 10}" y="${up.at(of(end)!)}" dy=".35em" fill="${colour}">${name}</text>
`;
})}`;
}
