// report.html of `keel rate`.
import { formatShare, html, type Markup, writeReport } from '@keel/align/internal';
import type { Rating } from '@keel/statistics';
import { styleNames } from './battles/answer-style.ts';
import type { RatingResults } from './rate-battles.ts';
import { plotStyle, ratingsPlot, winMatrix } from './rating-plots.ts';
import type { RatingJsonInput } from './ratings-json.ts';
import {
  battlesText,
  intervalText,
  nextText,
  readSentences,
  styleText,
  whole,
} from './ratings-text.ts';

/** @param command that made the report, for its last section */
export function writeRatingsReport(path: string, input: RatingJsonInput, command: string): void {
  const { read, options, results } = input;
  const { overall, pairs } = results;
  const models = overall.ratings.length;
  writeReport(path, {
    title: 'Ratings',
    summary: `${whole(read.table.length)} battles of ${models} models. Bradley-Terry ratings with 95% intervals; ${intervalText(input)}.`,
    created: new Date().toISOString(),
    sections: [
      tableSection(results),
      html`<section aria-labelledby="plot"><h2 id="plot">Ratings and their intervals</h2>
<p class="lead">Two models whose intervals do not overlap differ.
A difference of 100 points is a win rate of 64%.</p>
<figure>${ratingsPlot(overall.ratings)}</figure></section>`,
      html`<section aria-labelledby="matrix"><h2 id="matrix">Win rates between models</h2>
<p class="lead">Share that the row's model won against the column's; a tie is half a win. Pairs without a battle are empty.</p>
<figure class="wide" tabindex="0">${winMatrix(overall.ratings, pairs)}</figure></section>`,
      ...(overall.coefficients.length > 0 ? [styleSection(results)] : []),
      ...(results.categories.length > 0 ? [categorySection(input)] : []),
      ...(results.next.length > 0 ? [nextSection(results)] : []),
    ],
    styles: [plotStyle],
    ran: {
      facts: [
        ...Object.entries(read.formats).map(([name, files]) => ({
          label: `Files, read as ${name}`,
          value: files.join(' '),
        })),
        ...readSentences(read).map((value) => ({ label: 'Read', value })),
        { label: 'Intervals', value: intervalText(input) },
        ...(options.prior === null
          ? []
          : [{ label: 'Prior', value: `deviation of ${options.prior} points` }]),
      ],
      config: command,
      configName: 'The command',
    },
  });
}

function tableSection({ overall: { ratings }, elo }: RatingResults): Markup {
  return html`<section aria-labelledby="ratings"><h2 id="ratings">Table</h2>
<div class="wide" tabindex="0"><table class="compared">
<thead><tr><th scope="col">model</th>${['rank', 'rating', '95% interval', 'win rate', 'battles', ...(elo === null ? [] : ['Elo'])].map((label) => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${ratings.map(
    (
      one,
    ) => html`<tr><th scope="row">${one.name}</th>${cellsOf(one, elo).map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>
<dl class="columns">
<div><dt>rank</dt><dd>best and worst rank: intervals that do not overlap decide</dd></div>
<div><dt>win rate</dt><dd>expected against the other models, each equally often</dd></div>
</dl></section>`;
}

const cellsOf = (
  { ranks: [best, worst], rating, interval, winRate, battles, name }: Rating,
  elo: RatingResults['elo'],
): string[] => [
  best === worst ? String(best) : `${best}–${worst}`,
  rating.toFixed(1),
  interval.map((end) => end.toFixed(1)).join(' to '),
  formatShare(winRate),
  whole(battles),
  ...(elo === null ? [] : [elo.get(name)!.toFixed(1)]),
];

function styleSection({ overall: { coefficients } }: RatingResults): Markup {
  return html`<section aria-labelledby="style"><h2 id="style">Style</h2>
<p class="lead">Ratings are those at equal style.
A positive effect means that people or judges prefer more of it,
at equal strength of the models.</p>
<ul>${coefficients.map((one, index) => html`<li>${styleText(styleNames[index]!, one)}</li>`)}</ul></section>`;
}

function categorySection({ read, results: { overall, categories } }: RatingJsonInput): Markup {
  return html`<section aria-labelledby="categories"><h2 id="categories">Ratings by ${read.categories!.column}</h2>
<div class="wide" tabindex="0"><table class="compared">
<thead><tr><th scope="col">model</th>${categories.map(({ name, battles }) => html`<th scope="col">${name}<span class="note">${battlesText(battles)}</span></th>`)}</tr></thead>
<tbody>${overall.ratings.map(
    ({ name }) => html`<tr><th scope="row">${name}</th>${categories.map(({ ratings }) => {
      const own = ratings?.ratings.find((one) => one.name === name);
      return own === undefined
        ? html`<td></td>`
        : html`<td>${own.rating.toFixed(0)}<span class="note">${own.interval.map((end) => end.toFixed(0)).join(' to ')}</span></td>`;
    })}</tr>
`,
  )}</tbody></table></div>
${categories.flatMap(({ name, why }) => (why === null ? [] : [html`<p class="lead">${name}: ${why}</p>`]))}</section>`;
}

function nextSection({ next }: RatingResults): Markup {
  return html`<section aria-labelledby="next"><h2 id="next">What to compare next</h2>
<p class="lead">The battles that are expected to make
the differences between all ratings more certain, one after the other.</p>
<ol>${next.map((one) => html`<li>${nextText(one)}</li>`)}</ol></section>`;
}
