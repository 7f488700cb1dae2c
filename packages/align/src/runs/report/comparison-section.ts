import { html, type Markup } from './markup.ts';
import type { ComparedRuns } from './report-data.ts';
import { scatterPlot } from './scatter-plot.ts';

/** Runs side by side: a table, a plot, and the answers of all of them to the same prompts. */
export function comparisonOfRuns({ columns, rows, findings, plot, answers }: ComparedRuns): Markup {
  return html`<section aria-labelledby="compared">
<h2 id="compared">Results</h2>
${findings.map((sentence) => html`<p class="lead">${sentence}</p>`)}
<div class="wide" tabindex="0"><table class="compared">
<thead><tr><th scope="col"></th>${columns.map(({ label, about }) => html`<th scope="col"><abbr title="${about}">${label}</abbr></th>`)}</tr></thead>
<tbody>${rows.map(
    ({ name, reports, cells }) =>
      html`<tr><th scope="row">${name}${reports.length > 0 && html`<span class="note">${reports.map(({ label, path }) => html`<a href="${path}">${label}</a> `)}</span>`}</th>${cells.map(({ text, note }) => html`<td>${text}${note && html`<span class="note">${note}</span>`}</td>`)}</tr>
`,
  )}</tbody></table></div>
<dl class="columns">${columns.map(({ label, about }) => html`<div><dt>${label}</dt><dd>${about}</dd></div>`)}</dl>
</section>
<section aria-labelledby="compared-plot">
<h2 id="compared-plot">${plot.title}</h2>
<p class="lead">Higher is better, and further left is closer to the reference. Small marks are single seeds; whiskers are 95% intervals.</p>
<figure class="compared-plot">${scatterPlot(plot)}</figure>
</section>
${
  answers.length > 0 &&
  html`<section aria-labelledby="compared-answers">
<h2 id="compared-answers">Answers to the same prompts</h2>
<p class="lead">Sampled with one seed at temperature 1. Each group is represented by its first seed.</p>
${answers.map(
  ({
    prompt,
    answers: own,
  }) => html`<details class="compared-answers"><summary>${prompt}</summary><dl>${own.map(({ name, text, note }) => html`<div><dt>${name}<span class="note">${note}</span></dt><dd>${text}</dd></div>`)}</dl></details>
`,
)}</section>`
}`;
}
