import { html, type Markup } from './markup.ts';
import type { AnswerCourse } from './report-data.ts';

/** Most times to show as columns; the others are omitted. */
const COLUMNS = 4;

/** The same prompts answered at several times of a run, side by side. */
export function courseSection({ note, times, rows }: AnswerCourse): Markup | null {
  if (rows.length === 0) return null;
  const shown = spread(times.length, COLUMNS);
  const omitted = times.length - shown.length;
  return html`<section aria-labelledby="course">
<h2 id="course">Answers over the run</h2>
<p class="lead">${note}${omitted > 0 && ` ${omitted} evaluations in between are not shown; answers.jsonl has them.`}</p>
<div class="wide" tabindex="0"><table class="answers course">
<thead><tr><th scope="col">Prompt</th>${shown.map((at) => html`<th scope="col">${times[at]}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ prompt, answers }) =>
      html`<tr><th scope="row">${prompt}</th>${shown.map((at) => cell(answers[at] ?? null, times[at]!))}</tr>
`,
  )}</tbody></table></div>
</section>`;
}

function cell(answer: AnswerCourse['rows'][number]['answers'][number], side: string): Markup {
  if (answer === null) return html`<td data-side="${side}">–</td>`;
  const { text, about } = answer;
  return html`<td data-side="${side}"><p class="answer">${text.trim() === '' ? html`<em>(an empty answer)</em>` : text}</p><p class="about"><span>${about}</span></p></td>`;
}

/** At most `most` of `count` indices: the first, the last, and some between. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}
