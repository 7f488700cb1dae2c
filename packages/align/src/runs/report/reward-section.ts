import type { LengthBucket, Proportion, RewardFindings } from '@keel/statistics';
import { formatNumber, formatShare } from './format.ts';
import { html, type Markup } from './markup.ts';
import { reliabilityDiagram } from './reliability-diagram.ts';
import {
  explainAccuracy,
  explainCalibration,
  explainLength,
  shareRange,
} from './reward-statements.ts';

/** What held-out pairs show about a reward model: accuracy, calibration, and length. */
export function rewardSection(findings: RewardFindings): Markup {
  return html`<section aria-labelledby="reward">
<h2 id="reward">How far the reward can be trusted</h2>
<p class="lead">${explainAccuracy(findings)}</p>
<div class="charts">${calibrationFigure(findings)}${lengthFigure(findings)}</div>
</section>`;
}

function calibrationFigure({ calibration }: RewardFindings): Markup {
  const { bins, errorEqualMass, brier, logLoss } = calibration;
  return html`<figure id="reliability">
<figcaption><h3>Reliability</h3></figcaption>
${reliabilityDiagram(bins)}
<p class="note">How often the answer that the model favours is the chosen one, against the probability that the model gives it. A calibrated model lies on the dashed line; below the line it is overconfident. Bars are 95% intervals.</p>
<p class="remark">${explainCalibration(calibration)}</p>
<p class="note">With bins of equal mass: ${formatShare(errorEqualMass)}. Brier score ${formatNumber(brier)} (random guessing: 0.250), log loss ${formatNumber(logLoss)} (random guessing: 0.693).</p>
<details class="values"><summary>Values</summary><div class="scroll" tabindex="0"><table>
<thead><tr>${['Confidence', 'Mean', 'Pairs', 'Right', '95% interval'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${bins.map(
    ({ from, to, confidence, accuracy }) =>
      html`<tr><th scope="row">${shareRange([from, to])}</th><td>${formatShare(confidence)}</td><td>${accuracy.count}</td><td>${formatShare(accuracy.value)}</td><td>${shareRange(accuracy.interval)}</td></tr>`,
  )}</tbody></table></div></details>
</figure>
`;
}

function lengthFigure(findings: RewardFindings): Markup {
  const { lengthBuckets, lengthUnit } = findings;
  return html`<figure id="length-buckets">
<figcaption><h3>Accuracy by length difference</h3></figcaption>
<ul class="legend"><li><span class="key" aria-hidden="true"></span>the chosen answer is longer</li><li><span class="key second" aria-hidden="true"></span>the chosen answer is shorter</li></ul>
<div class="lengths" tabindex="0"><table>
<thead><tr><th scope="col">Lengths differ by</th><th scope="col">Pairs</th><th scope="col">Accuracy</th><th scope="col">Chosen longer</th><th scope="col">Chosen shorter</th><th scope="col" class="strip-head" aria-hidden="true"><span>0</span><span>50%</span><span>100%</span></th><th scope="col">Longer wins</th></tr></thead>
<tbody>${lengthBuckets.map((bucket) => bucketRow(bucket, lengthUnit))}</tbody>
</table></div>
<p class="note">For pairs whose answers differ in length by this many ${lengthUnit}: how often the reward is right, overall and by which answer is longer, with 95% intervals. If the two sides diverge, the reward follows length. The last column is the rule “the longer answer wins”.</p>
<p class="remark">${explainLength(findings)}</p>
</figure>
`;
}

function bucketRow(bucket: LengthBucket, unit: string): Markup {
  const { from, to, all, chosenLonger, chosenShorter, longerWins } = bucket;
  const difference =
    to === 0
      ? 'nothing'
      : from === to
        ? formatLength(from)
        : `${formatLength(from)} to ${formatLength(to)}`;
  return html`<tr><th scope="row">${difference}${to > 0 && html`<span class="unseen"> ${unit}</span>`}</th><td>${all.count}</td>${[all, chosenLonger, chosenShorter].map(shareCell)}<td class="strip-cell">${strip(chosenLonger, chosenShorter)}</td><td>${formatShare(longerWins.value)}</td></tr>
`;
}

const formatLength = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 1 });

function shareCell(share: Proportion | null): Markup {
  return share === null
    ? html`<td>–</td>`
    : html`<td title="${share.count} pairs, 95% interval ${shareRange(share.interval)}">${formatShare(share.value)}</td>`;
}

/** Both sides with their intervals from 0 to 100%; the cells next to it have the same values. */
function strip(longer: Proportion | null, shorter: Proportion | null): Markup {
  const at = (share: number): string => (5 + 110 * share).toFixed(1);
  const mark = (share: Proportion | null, y: number, tone: string): Markup | null =>
    share &&
    html`<line class="${tone}" x1="${at(share.interval[0])}" x2="${at(share.interval[1])}" y1="${y}" y2="${y}"/><circle class="${tone}" cx="${at(share.value)}" cy="${y}" r="3.5"/>`;
  return html`<svg viewBox="0 0 120 24" aria-hidden="true"><line class="coin" x1="60" x2="60" y1="0" y2="24"/>${mark(longer, 7, 'first')}${mark(shorter, 17, 'second')}</svg>`;
}
