// Effects with their 95% intervals, in standard deviations, one in each line.
import { html, type Markup } from '@keel/align/internal';
import type { Interval, PairedEffect } from '@keel/statistics';

export interface PlottedEffect
  extends Pick<PairedEffect, 'size' | 'sizeInterval' | 'difference' | 'interval'> {
  label: string;
  /** `score`: a reward; `changed`: a feature that changed beyond chance. */
  kind: 'score' | 'changed' | 'unchanged';
}

const [width, row, left, right, top] = [760, 22, 230, 24, 30];
/** Longer labels lose their middle, so that the names of files can be read. */
const LABEL = { start: 8, end: 24 };
/** Larger effects are drawn at the edge. */
const MOST = 4;

export const plotStyle = `.effects text { font-size: 12px; fill: currentColor; dominant-baseline: middle; }
.effects .right { text-anchor: end; }
.effects .middle { text-anchor: middle; fill: var(--muted); }
.effects .grid { stroke: var(--rule); }
.effects .zero { stroke: var(--muted); }
.effects .unchanged { stroke: var(--muted); fill: var(--muted); }
.effects .changed { stroke: #d55e00; fill: #d55e00; }
.effects .score { stroke: #0072b2; fill: #0072b2; }
.effects line { stroke-width: 1.5; }`;

export function effectPlot(effects: readonly PlottedEffect[]): Markup | null {
  const drawn = effects
    .filter(({ size }) => size !== null)
    .map((effect) => ({ ...effect, sizeInterval: intervalOf(effect) }));
  if (drawn.length === 0) return null;
  const ends = drawn.flatMap(({ size, sizeInterval }) => [size!, ...(sizeInterval ?? [])]);
  const reach = Math.min(MOST, Math.max(1, ...ends.map(Math.abs)));
  const step = reach > 2 ? 1 : 0.5;
  const most = Math.ceil(reach / step) * step;
  const at = (value: number): string => {
    const share = (Math.max(-most, Math.min(most, value)) + most) / (2 * most);
    return (left + share * (width - left - right)).toFixed(1);
  };
  const ticks = Array.from(
    { length: Math.round((2 * most) / step) + 1 },
    (_, tick) => tick * step - most,
  );
  const height = top + drawn.length * row + 6;
  const words = drawn.map(({ label, size }) => `${label} ${size!.toFixed(2)}`);
  return html`<svg class="effects" viewBox="0 0 ${width} ${height}" role="img" aria-label="Effects in standard deviations: ${words.join(', ')}.">
${ticks.map((tick) => html`<line class="${tick === 0 ? 'zero' : 'grid'}" x1="${at(tick)}" x2="${at(tick)}" y1="${top - 8}" y2="${height - 4}"/><text class="middle" x="${at(tick)}" y="${top - 18}">${tick > 0 ? '+' : ''}${tick}</text>\n`)}${drawn.map(
  ({ label, kind, size, sizeInterval }, index) => {
    const y = top + index * row + row / 2;
    return html`<g><title>${label}: ${size!.toFixed(2)}</title><text class="right" x="${left - 12}" y="${y}">${shortLabel(label)}</text>${sizeInterval && html`<line class="${kind}" x1="${at(sizeInterval[0])}" x2="${at(sizeInterval[1])}" y1="${y}" y2="${y}"/>`}<circle class="${kind}" cx="${at(size!)}" cy="${y}" r="4"/></g>
`;
  },
)}</svg>`;
}

/** The table's interval in standard deviations, so that both exclude 0 or neither does. */
function intervalOf({ size, sizeInterval, difference, interval }: PlottedEffect): Interval | null {
  if (interval === null || difference === 0 || !size) return sizeInterval;
  const [low, high] = interval;
  return [(low * size) / difference, (high * size) / difference];
}

const shortLabel = (label: string): string =>
  label.length <= LABEL.start + LABEL.end + 1
    ? label
    : `${label.slice(0, LABEL.start)}…${label.slice(-LABEL.end)}`;
