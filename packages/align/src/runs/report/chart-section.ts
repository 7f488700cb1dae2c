import type { MetricsRow } from '../metrics.ts';
import { type Chart, type ChartSeries, chartsOf } from './charts.ts';
import { explainDisplacement, likelihoodDisplacement } from './displacement.ts';
import { formatNumber, formatShare } from './format.ts';
import { html, type Markup, scriptJson, trusted } from './markup.ts';

const mostTableRows = 24;

/** The curves of a run, each with a table of its values for readers who cannot see it. */
export function chartSection(rows: readonly MetricsRow[]): Markup | null {
  const charts = chartsOf(rows);
  if (charts.length === 0) return null;
  const displacement = likelihoodDisplacement(rows);
  const figures = charts.map((chart) =>
    figure(chart, chart.id === 'logps' && displacement ? explainDisplacement(displacement) : null),
  );
  return html`<section aria-labelledby="curves">
<h2 id="curves">Training curves</h2>
<p class="lead">Thin lines are single steps, bold lines their moving average; points are held-out rows. Drag over a chart to zoom in, double-click to reset.</p>
<div class="charts">${figures}</div>
<script type="application/json" id="chart-data">${scriptJson(charts)}</script>
</section>`;
}

function figure(chart: Chart, remark: string | null): Markup {
  const legend =
    chart.series.length > 1 &&
    html`<ul class="legend">${chart.series.map(
      ({ label, tone, held }) =>
        html`<li><span class="key ${tone}${held && ' held'}" aria-hidden="true"></span>${label}</li>`,
    )}</ul>`;
  return html`<figure id="chart-${chart.id}"${chart.series.length > 2 && trusted(' class="many"')}>
<figcaption><h3>${chart.title}</h3><p class="reading" aria-hidden="true"></p></figcaption>
${legend}
<div class="plot" role="img" aria-label="${describe(chart)}"></div>
<p class="note">${chart.note}</p>
${remark && html`<p class="remark">${remark}</p>`}
${valuesTable(chart)}
</figure>
`;
}

function format({ share }: Chart, value: number): string {
  return share ? formatShare(value) : formatNumber(value);
}

/** The chart in words: the first and last value of each line, and its extremes. */
function describe(chart: Chart): string {
  const lines = chart.series.map(({ label, values }) => {
    const present = values.flatMap((value, index) =>
      value === null ? [] : [{ value, step: chart.steps[index]! }],
    );
    const [first, last] = [present[0]!, present.at(-1)!];
    const sorted = present.map(({ value }) => value).sort((a, b) => a - b);
    return `${label}: ${format(chart, first.value)} at step ${first.step}, ${format(chart, last.value)} at step ${last.step}, lowest ${format(chart, sorted[0]!)}, highest ${format(chart, sorted.at(-1)!)}`;
  });
  return `${chart.title}. ${lines.join('. ')}.`;
}

/** All steps with held-out values, and as many of the others as a reader can take in. */
function valuesTable(chart: Chart): Markup {
  const held = (index: number): boolean =>
    chart.series.some((series) => series.held && series.values[index] !== null);
  const stride = Math.ceil(chart.steps.length / mostTableRows);
  const shown = chart.steps
    .map((step, index) => ({ step, index }))
    .filter(({ index }) => held(index) || index % stride === 0 || index === chart.steps.length - 1);
  const cell = (series: ChartSeries, index: number): Markup => {
    const value = series.values[index];
    return html`<td>${value === null || value === undefined ? '–' : format(chart, value)}</td>`;
  };
  return html`<details class="values"><summary>Values</summary><div class="scroll" tabindex="0"><table>
<thead><tr><th scope="col">Step</th>${chart.series.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${shown.map(
    ({ step, index }) =>
      html`<tr><th scope="row">${step}</th>${chart.series.map((series) => cell(series, index))}</tr>`,
  )}</tbody></table></div></details>`;
}
