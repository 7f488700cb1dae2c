// The report of ratings: the lowest and the highest answers first.
import { html, type Markup, renderReport } from '@keel/align/internal';
import { answerText } from '../answers/answer-row.ts';
import type { RatingRow } from '../asking/rate-answers.ts';
import { type RatingSummary, ratingLines } from '../summary/rating-summary.ts';
import { countTable, judgingStyle } from './page-parts.ts';

/** Rows of each of the first two lists, and of the list of all. */
const [FIRST, MOST] = [10, 500];

/** The report's HTML. */
export function ratingReport(summary: RatingSummary, rows: readonly RatingRow[]): string {
  const rated = rows
    .filter(({ score }) => score !== null)
    .toSorted((one, other) => one.score! - other.score!);
  const high = rated.toReversed().slice(0, FIRST);
  const low = rated.slice(0, Math.min(FIRST, rated.length - high.length));
  return renderReport({
    title: `Ratings of ${summary.model}`,
    summary:
      summary.score === null
        ? `The judge ${summary.judge} gave no rating.`
        : `The judge ${summary.judge} gives ${summary.score.value.toFixed(3)} on average.`,
    created: new Date().toISOString(),
    sections: [
      countTable('Numbers', ratingLines(summary)),
      html`<section aria-labelledby="answers" class="judged">
<h2 id="answers">Answers</h2>
${list('The highest scores', high)}
${list('The lowest scores', low)}
<details class="samples"><summary>All in their order (${Math.min(MOST, rows.length)} of ${rows.length})</summary>
${table(rows.slice(0, MOST))}
</details>
</section>`,
    ],
    styles: [judgingStyle()],
  });
}

const list = (title: string, rows: readonly RatingRow[]): Markup | null =>
  rows.length === 0 ? null : html`<h3>${title}</h3>\n${table(rows)}`;

const table = (rows: readonly RatingRow[]): Markup =>
  html`<table class="answers">
<thead><tr><th scope="col">Prompt</th><th scope="col">Answer</th></tr></thead>
<tbody>${rows.map(ratedRow)}</tbody>
</table>`;

const ratedRow = ({
  row,
  prompt,
  answer,
  score,
  why,
  failed,
  flags,
  criteria,
}: RatingRow): Markup =>
  html`<tr><th scope="row">${answerText(prompt)}
<p class="about">Row ${row}: ${score === null ? `no rating: ${failed}` : `score ${score.toFixed(3)}`}</p>
${Object.entries(criteria).map(([name, own]) => html`<p class="about">${name}: ${own.toFixed(3)}</p>`)}</th>
<td data-side="Answer"><p class="answer">${answerText(answer).trim() === '' ? html`<em>(empty)</em>` : answerText(answer)}</p>
<p class="about">${flags.map((flag) => html`<span class="chip failed">${flag}</span>`)}${why}</p></td></tr>
`;
