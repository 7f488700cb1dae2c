import { formatNumber } from './format.ts';
import { html, type Markup } from './markup.ts';
import type { RewardPoint } from './report-data.ts';

const width = 480;
const height = 220;
const left = 56;
const bottom = 34;

/**
 * The KL that the reward of sampled answers cost: the curve of Gao et al. 2022, arXiv:2210.10760.
 * Points are optimizer steps in order, the last one filled.
 */
export function rewardCurve(points: readonly RewardPoint[]): Markup | null {
  if (points.length < 2) return null;
  const across = scale(
    points.map(({ kl }) => kl),
    [left, width - 12],
  );
  const up = scale(
    points.map(({ reward }) => reward),
    [height - bottom, 12],
  );
  const at = ({ kl, reward }: RewardPoint) => `${across.at(kl)},${up.at(reward)}`;
  const last = points.at(-1)!;
  const first = points[0]!;
  return html`<figure class="curve">
<figcaption><h4>Reward against KL to the reference</h4></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Reward went from ${formatNumber(first.reward)} at a KL of ${formatNumber(first.kl)} to ${formatNumber(last.reward)} at ${formatNumber(last.kl)}">
<path class="frame" d="M${left} 12V${height - bottom}H${width - 12}"/>
<text x="${left - 6}" y="18" text-anchor="end">${formatNumber(up.high)}</text>
<text x="${left - 6}" y="${height - bottom}" text-anchor="end">${formatNumber(up.low)}</text>
<text x="${left}" y="${height - bottom + 16}">${formatNumber(across.low)}</text>
<text x="${width - 12}" y="${height - bottom + 16}" text-anchor="end">${formatNumber(across.high)}</text>
<text x="${(left + width) / 2}" y="${height - 4}" text-anchor="middle">KL, nats per answer</text>
<polyline points="${points.map(at).join(' ')}"/>
${points.map((point) => html`<circle cx="${across.at(point.kl)}" cy="${up.at(point.reward)}" r="${point === last ? 5 : 2.5}"${point === last && html` class="last"`}><title>step ${point.step}: reward ${formatNumber(point.reward)}, KL ${formatNumber(point.kl)}</title></circle>`)}
</svg>
</figure>
`;
}

/** Maps values to positions between the two ends of an axis. */
function scale(values: readonly number[], [from, to]: readonly [number, number]) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const share = (value: number): number => (high === low ? 0.5 : (value - low) / (high - low));
  return { low, high, at: (value: number) => (from + share(value) * (to - from)).toFixed(1) };
}
