import { html, type Markup } from './markup.ts';
import type { Answer, Comparison, Comparisons, Samples, Verdict } from './report-data.ts';

/** A few prompts with both answers side by side. */
export function comparisonSection({ rows, sides, note }: Comparisons): Markup | null {
  if (rows.length === 0) return null;
  return html`<section aria-labelledby="answers">
<h2 id="answers">The same prompts, before and after</h2>
${note && html`<p class="lead">${note}</p>`}
${answerTable(rows, sides ?? ['Before', 'After'])}
</section>`;
}

/** Every answer on which the behaviour was measured. */
export function sampleSection({ behaviour, rows }: Samples): Markup | null {
  if (rows.length === 0) return null;
  const passed = (side: 'before' | 'after'): number =>
    rows.filter((row) => row[side].verdict?.passed).length;
  const strip = (side: 'before' | 'after', label: string): Markup => html`<div class="strip">
<span class="side">${label}</span>
<span class="squares" aria-hidden="true">${rows.map((row) => html`<i class="${row[side].verdict?.passed ? 'passed' : 'failed'}"></i>`)}</span>
<span class="count">${passed(side)} of ${rows.length}</span>
</div>`;
  return html`<section aria-labelledby="samples">
<h2 id="samples">Generated answers, judged</h2>
<p class="lead">${behaviour}</p>
<div class="strips">${strip('before', 'Before')}${strip('after', 'After')}</div>
<details class="samples"><summary>All ${rows.length} prompts with both answers</summary>
${answerTable(rows, ['Before', 'After'])}
</details>
</section>`;
}

function answerTable(rows: readonly Comparison[], sides: readonly [string, string]): Markup {
  return html`<table class="answers">
<thead><tr><th scope="col">Prompt</th><th scope="col">${sides[0]}</th><th scope="col">${sides[1]}</th></tr></thead>
<tbody>${rows.map((row) => answerRow(row, sides))}</tbody>
</table>`;
}

function answerRow(
  { prompt, before, after }: Comparison,
  sides: readonly [string, string],
): Markup {
  const shared = sharedBeginning(before.text, after.text);
  return html`<tr>
<th scope="row">${prompt}</th>
<td class="was" data-side="${sides[0]}">${answer(before, shared)}</td>
<td class="is" data-side="${sides[1]}">${answer(after, shared)}</td>
</tr>
`;
}

/** The shared beginning of both answers is muted, to draw the eye to where they diverge. */
function answer({ text, about, verdict }: Answer, shared: number): Markup {
  const words = text.trim() === '' ? 0 : text.trim().split(/\s+/).length;
  return html`<p class="answer">${
    text.trim() === ''
      ? html`<em>(an empty answer)</em>`
      : html`${shared > 0 && html`<span class="shared">${text.slice(0, shared)}</span>`}${text.slice(shared)}`
  }</p>
<p class="about">${verdict && chip(verdict)}<span>${about && `${about}, `}${words} ${words === 1 ? 'word' : 'words'}</span></p>`;
}

function chip({ passed, reason }: Verdict): Markup {
  const word = passed ? 'shows it' : 'does not';
  return html`<span class="chip ${passed ? 'passed' : 'failed'}"><span aria-hidden="true">${passed ? '✓' : '✕'}</span> ${word}${reason && `: ${reason}`}</span>`;
}

/** Length of the shared beginning of two texts, cut back to the end of a word. */
export function sharedBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  if (length === a.length && length === b.length) return length;
  const boundary = a.slice(0, length).search(/\s\S*$/);
  return boundary < 0 ? 0 : boundary + 1;
}
