import { headlineCards } from './headline-section.ts';
import { html, type Markup } from './markup.ts';
import type { LineageEntry, ReportedStage } from './report-data.ts';
import { rewardCurve } from './reward-curve.ts';

/** The stages of a recipe with their numbers, each a link to its own report. */
export function stageSection(stages: readonly ReportedStage[]): Markup | null {
  if (stages.length === 0) return null;
  return html`<section aria-labelledby="stages">
<h2 id="stages">Stages</h2>
<ol class="stages">${stages.map(stage)}</ol>
</section>`;
}

function stage({
  name,
  facts,
  report,
  headlines,
  verdict,
  rewardCurve: points,
}: ReportedStage): Markup {
  const title = report === null ? name : html`<a href="${report}">${name}</a>`;
  return html`<li><h3>${title}</h3><p class="note">${facts.join(' · ')}</p>${verdict && verdictBox(verdict)}${headlines.length > 0 && headlineCards(headlines)}${points && rewardCurve(points)}</li>
`;
}

const verdictBox = ({ passed, reasons }: NonNullable<ReportedStage['verdict']>): Markup =>
  html`<div class="verdict ${passed ? 'passed' : 'failed'}"><p><strong>${passed ? 'Gate passed' : 'Gate failed'}</strong></p>${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}</div>`;

/** What each result of a recipe was made from, by hashes of the content. */
export function lineageSection(entries: readonly LineageEntry[]): Markup | null {
  if (entries.length === 0) return null;
  return html`<section aria-labelledby="lineage">
<h2 id="lineage">Lineage</h2>
<p class="lead">What each result was made from. Hashes are the first twelve digits of the SHA-256 of the content; stages.json has the full hashes.</p>
<div class="wide" tabindex="0"><table class="lineage">
<thead><tr><th scope="col">Result</th><th scope="col">Made from</th></tr></thead>
<tbody>${entries.map(
    ({ name, kind, sha256, madeOf }) =>
      html`<tr><th scope="row"><code>${name}</code><span class="note">${kind}</span>${hash(sha256)}</th><td><ul>${madeOf.map(
        (part) =>
          html`<li><span class="note">${part.label}</span> <code>${part.name}</code> ${hash(part.sha256)}</li>`,
      )}</ul></td></tr>
`,
  )}</tbody></table></div>
</section>`;
}

const hash = (sha256: string): Markup =>
  html`<code class="hash" title="${sha256}">${sha256.slice(0, 12)}</code>`;
