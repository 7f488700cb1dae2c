import { formatShare, formatterOf } from './format.ts';
import { html, type Markup } from './markup.ts';
import type { Estimate, Headline } from './report-data.ts';

/** The numbers that show whether the run achieved its goal. */
export function headlineSection(headlines: readonly Headline[]): Markup | null {
  if (headlines.length === 0) return null;
  return html`<section aria-labelledby="headlines">
<h2 id="headlines" class="unseen">Before and after in numbers</h2>
${headlineCards(headlines)}
</section>`;
}

/** Only the numbers, for a part of another section. */
export const headlineCards = (headlines: readonly Headline[]): Markup =>
  html`<div class="cards">${headlines.map(card)}</div>`;

function card(headline: Headline): Markup {
  const { label, before, after, note } = headline;
  const show = formatterOf(headline.unit);
  const change = before && judge(headline, before);
  return html`<article class="card">
<h3>${label}</h3>
<p class="numbers">${before && html`<span class="before"><span class="unseen">before </span>${show(before.value)}</span><span class="arrow" aria-hidden="true">→</span><span class="unseen">, after </span>`}<strong>${show(after.value)}</strong></p>
${scale(headline)}
${change && html`<p class="change ${change.kind}"><span aria-hidden="true">${change.mark}</span> ${change.text}</p>`}
<p class="note">${intervals(before, after, show)}${note}</p>
</article>
`;
}

function intervals(
  before: Estimate | null,
  after: Estimate,
  show: (value: number) => string,
): Markup | null {
  const range = (estimate: Estimate | null): string | null =>
    estimate?.interval ? `${show(estimate.interval[0])} to ${show(estimate.interval[1])}` : null;
  const [first, last] = [range(before), range(after)];
  if (!last) return null;
  return html`95% interval ${last}${first && `, before ${first}`}. `;
}

interface Change {
  kind: 'better' | 'worse' | 'unclear' | 'doubtful' | 'neutral';
  mark: string;
  text: string;
}

/**
 * A change counts if the interval of the difference excludes 0, or, without that interval, if the
 * interval after training excludes the value before. Without any interval, the change is not
 * judged.
 */
function judge(headline: Headline, before: Estimate): Change {
  const { after, better, unit, difference: ends, doubtful = false } = headline;
  const difference = after.value - before.value;
  const sign = difference > 0 ? '+' : '';
  const size =
    unit === 'share'
      ? `${sign}${formatShare(difference).replace('%', '')} points`
      : `${sign}${formatterOf(unit)(difference)}`;
  const mark = difference > 0 ? '▲' : difference < 0 ? '▼' : '■';
  if (difference === 0) return { kind: 'unclear', mark, text: 'no change' };
  if (better === null) return { kind: 'neutral', mark, text: size };
  const { interval } = after;
  const show = formatterOf(unit);
  const range = ends ? ` (95%: ${show(ends[0])} to ${show(ends[1])})` : '';
  const unclear = ends
    ? ends[0] <= 0 && 0 <= ends[1]
    : interval && interval[0] <= before.value && before.value <= interval[1];
  if (!ends && !interval) return { kind: 'unclear', mark, text: `${size}, without an interval` };
  if (unclear) {
    const why = ends ? `${range}, which may be due to chance` : ', within the interval';
    return { kind: 'unclear', mark, text: `${size}${why}` };
  }
  const improved = difference > 0 === (better === 'higher');
  if (improved && doubtful) {
    return { kind: 'doubtful', mark, text: `${size}${range}, but see Health above` };
  }
  return improved
    ? { kind: 'better', mark, text: `${size}${range}, better` }
    : { kind: 'worse', mark, text: `${size}${range}, worse` };
}

/** Both estimates with their intervals on one line; the card's text says the same. */
function scale({ before, after, unit }: Headline): Markup | null {
  const all = [before, after].flatMap((estimate) =>
    estimate ? [estimate.value, ...(estimate.interval ?? [])] : [],
  );
  if (!before || all.some((value) => !Number.isFinite(value))) return null;
  const [low, high] = unit === 'share' ? [0, 1] : [Math.min(0, ...all), Math.max(0, ...all)];
  if (high === low) return null;
  const at = (value: number): string => (6 + (188 * (value - low)) / (high - low)).toFixed(1);
  const mark = (estimate: Estimate, row: number, kind: string): Markup =>
    html`${
      estimate.interval &&
      html`<line class="${kind}" x1="${at(estimate.interval[0])}" x2="${at(estimate.interval[1])}" y1="${row}" y2="${row}"/>`
    }<circle class="${kind}" cx="${at(estimate.value)}" cy="${row}" r="4"/>`;
  return html`<svg class="scale" viewBox="0 0 200 26" aria-hidden="true"><line class="axis" x1="6" x2="194" y1="13" y2="13"/>${mark(before, 7, 'was')}${mark(after, 19, 'is')}</svg>`;
}
