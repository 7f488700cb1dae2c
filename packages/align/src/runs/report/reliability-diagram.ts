import type { ReliabilityBin } from '@keel/statistics';
import { formatShare } from './format.ts';
import { html, type Markup } from './markup.ts';

// In units of the drawing, which scales to the figure's width.
const frame = { left: 44, right: 462, top: 30, bottom: 250 };
const tallest = 34;

const xOf = (confidence: number): string =>
  (frame.left + (confidence - 0.5) * 2 * (frame.right - frame.left)).toFixed(1);
const yOf = (accuracy: number): string =>
  (frame.bottom - accuracy * (frame.bottom - frame.top)).toFixed(1);

/** Accuracy against confidence with 95% intervals, and the number of pairs behind each point. */
export function reliabilityDiagram(bins: readonly ReliabilityBin[]): Markup {
  const most = Math.max(...bins.map(({ accuracy }) => accuracy.count));
  const rows = [0, 0.25, 0.5, 0.75, 1];
  const columns = [0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const words = bins.map(
    ({ confidence, accuracy }) =>
      `at ${formatShare(confidence)} confidence ${formatShare(accuracy.value)} of ${accuracy.count} right`,
  );
  return html`<svg class="reliability" viewBox="0 0 484 328" role="img" aria-label="Reliability diagram: ${words.join('; ')}.">
${rows.map((share) => html`<line class="grid" x1="${frame.left}" x2="${frame.right}" y1="${yOf(share)}" y2="${yOf(share)}"/><text class="right" x="${frame.left - 8}" y="${yOf(share)}" dy="0.32em">${formatShare(share)}</text>`)}
${columns.map((share) => html`<text class="middle" x="${xOf(share)}" y="${frame.bottom + 18}">${formatShare(share)}</text>`)}
<text x="0" y="12">share of pairs whose favoured answer was chosen</text>
<line class="ideal" x1="${xOf(0.5)}" y1="${yOf(0.5)}" x2="${xOf(1)}" y2="${yOf(1)}"/>
<polyline class="course" points="${bins.map((bin) => `${xOf(bin.confidence)},${yOf(bin.accuracy.value)}`).join(' ')}"/>
${bins.map(point)}
${bins.map((bin) => bar(bin, most))}
<text class="right" x="${frame.right}" y="${frame.bottom + 74}">confidence, and number of pairs</text>
</svg>`;
}

function point({ confidence, accuracy }: ReliabilityBin): Markup {
  const [low, high] = accuracy.interval;
  return html`<g><title>${formatShare(accuracy.value)} of ${accuracy.count} right, 95% interval ${formatShare(low)} to ${formatShare(high)}; mean confidence ${formatShare(confidence)}</title><line class="reach" x1="${xOf(confidence)}" x2="${xOf(confidence)}" y1="${yOf(low)}" y2="${yOf(high)}"/><circle cx="${xOf(confidence)}" cy="${yOf(accuracy.value)}" r="4.5"/></g>
`;
}

function bar({ from, to, accuracy }: ReliabilityBin, most: number): Markup {
  const height = Math.max(1, (tallest * accuracy.count) / most);
  const [left, right] = [Number(xOf(from)) + 1, Number(xOf(to)) - 1];
  return html`<rect class="pairs" x="${left}" width="${Math.max(1, right - left).toFixed(1)}" y="${(frame.bottom + 24 + tallest - height).toFixed(1)}" height="${height.toFixed(1)}"><title>${accuracy.count} pairs</title></rect>`;
}
