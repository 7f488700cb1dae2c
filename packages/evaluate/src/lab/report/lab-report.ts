// report.html of `keel overoptimise`: one page without other files.
import { html, type Markup, writeReport } from '@keel/align/internal';
import { judgingStyle } from '../../judging/report/page-parts.ts';
import type { LabAnalysis } from '../curves/analyse.ts';
import { curvesPlot } from './curves-plot.ts';
import { labFindings } from './findings.ts';
import { labTables, type TitledTable } from './tables.ts';

/** What a report says beside the numbers. */
export interface LabAbout {
  title: string;
  /** The gold reward. */
  gold: string;
  notes: readonly string[];
  facts: readonly { label: string; value: string }[];
  /** The lab's file. */
  config: string;
}

export function writeLabReport(path: string, analysis: LabAnalysis, about: LabAbout): void {
  writeReport(path, {
    title: about.title,
    summary: `Gold is ${about.gold}. Curves are means over ${analysis.prompts === 1 ? '1 prompt' : `${analysis.prompts} prompts`}, relative to the initial policy, in standard deviations of its answers' rewards.`,
    created: new Date().toISOString(),
    sections: [
      findingSection(analysis, about.notes),
      html`<section aria-labelledby="curves"><h2 id="curves">Proxy and gold against KL</h2>
<figure>${curvesPlot(analysis)}</figure></section>`,
      ...labTables(analysis).flatMap((one) => tableSection(one) ?? []),
    ],
    styles: [judgingStyle()],
    ran: { facts: [...about.facts], config: about.config, configName: 'The lab' },
  });
}

function findingSection(analysis: LabAnalysis, notes: readonly string[]): Markup {
  return html`<section aria-labelledby="findings"><h2 id="findings">What it shows</h2>
<ul class="findings"><li class="note">${[...labFindings(analysis), ...notes].map(
    (sentence) => html`<p>${sentence}</p>\n`,
  )}</li></ul></section>`;
}

function tableSection({ title, lead, table: [head, ...rows] }: TitledTable): Markup {
  return html`<section aria-label="${title}"><h2>${title}</h2>
${lead && html`<p class="lead">${lead}</p>`}
<div class="wide" tabindex="0"><table class="compared"><thead><tr>${head!.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([first, ...cells]) =>
      html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`,
  )}</tbody></table></div></section>`;
}
