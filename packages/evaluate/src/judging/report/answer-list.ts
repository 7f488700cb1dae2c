// Judged answers side by side: the most lopsided and the most uncertain verdicts first.
import { html, type Markup } from '@keel/align/internal';
import { answerText } from '../answers/answer-row.ts';
import { rowWinner } from '../summary/judging-summary.ts';
import { percent } from '../summary/words.ts';
import type { OrderVerdict, VerdictRow } from '../verdicts/verdict-row.ts';

/** Rows of each of the first two lists. */
const FIRST = 10;
/** Rows of the list of all: a page with more is slow to open. */
const MOST = 500;
/** Longest text that is shown of a prompt or an answer, in characters. */
const LONGEST = 4000;

/** A judged row, with what the report adds to its verdict, such as people's votes. */
export interface ShownRow {
  row: VerdictRow;
  note?: string;
}

export function answerLists(rows: readonly ShownRow[], sides: readonly [string, string]): Markup {
  const judged = rows.filter(({ row }) => row.preference_b !== null);
  const sure = judged.toSorted((one, other) => lead(other) - lead(one));
  const lopsided = sure.slice(0, FIRST);
  const uncertain = sure.toReversed().slice(0, Math.min(FIRST, sure.length - lopsided.length));
  const failed = rows.filter(({ row }) => row.preference_b === null);
  const shown = rows.slice(0, MOST);
  const cut = rows.length > MOST ? `, of ${rows.length} in verdicts.jsonl` : '';
  return html`<section aria-labelledby="answers" class="judged">
<h2 id="answers">Answers side by side</h2>
${filters(rows)}
${list('The most lopsided verdicts', lopsided, sides)}
${list('The most uncertain verdicts', uncertain, sides)}
${failed.length > 0 && list('Without a verdict', failed.slice(0, FIRST), sides)}
<details class="samples"><summary>All verdicts in their order (${shown.length}${cut})</summary>
${table(shown, sides)}
</details>
</section>`;
}

const lead = ({ row }: ShownRow): number => Math.abs(row.preference_b! - 0.5);

const list = (
  title: string,
  rows: readonly ShownRow[],
  sides: readonly [string, string],
): Markup | null => (rows.length === 0 ? null : html`<h3>${title}</h3>\n${table(rows, sides)}`);

const table = (rows: readonly ShownRow[], sides: readonly [string, string]): Markup =>
  html`<table class="answers">
<thead><tr><th scope="col">Prompt</th><th scope="col">a: ${sides[0]}</th><th scope="col">b: ${sides[1]}</th></tr></thead>
<tbody>${rows.map((one) => answerRow(one, sides))}</tbody>
</table>`;

function answerRow({ row, note }: ShownRow, sides: readonly [string, string]): Markup {
  const winner = row.preference_b === null ? null : rowWinner(row);
  const flagged = row.flags_a.length + row.flags_b.length > 0;
  const cell = (side: 'a' | 'b'): Markup => {
    const text = answerText(side === 'a' ? row.answer_a : row.answer_b);
    const flags = side === 'a' ? row.flags_a : row.flags_b;
    const won = winner === side;
    return html`<td class="${won ? 'won' : 'lost'}" data-side="${side}: ${sides[side === 'a' ? 0 : 1]}"><p class="answer">${shownText(text)}</p>
<p class="about">${won && html`<span class="chip passed">better</span>`}${flags.map((flag) => html`<span class="chip failed">${flag}</span>`)}<span>${[...text].length} characters</span></p></td>`;
  };
  return html`<tr data-category="${row.category ?? ''}"${flagged && html` data-flagged=""`}>
<th scope="row">${shownText(promptText(row))}
<p class="about">${verdictText(row)}${note !== undefined && html`<br>${note}`}</p>
${row.orders.map(orderText)}</th>
${cell('a')}
${cell('b')}
</tr>
`;
}

function shownText(text: string): Markup | string {
  if (text.trim() === '') return html`<em>(empty)</em>`;
  const letters = [...text];
  return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST).join('')}…`;
}

const promptText = ({ prompt }: VerdictRow): string =>
  typeof prompt !== 'string' && prompt.length > 1
    ? prompt.map(({ role, content }) => `${role}: ${content ?? ''}`).join('\n\n')
    : answerText(prompt);

function verdictText({ row, preference_b, failed, rule, category }: VerdictRow): string {
  const named = `${row}${category === null ? '' : ` (${category})`}`;
  if (preference_b === null) return `Row ${named}: no verdict: ${failed}`;
  const why = rule === null ? '' : `, without asking: ${rule}`;
  return `Row ${named}: b is better with a probability of ${percent(preference_b)}${why}`;
}

function orderText({ first, preference_first, why }: OrderVerdict): Markup | null {
  if (preference_first === null) return null;
  const b = first === 'b' ? preference_first : 1 - preference_first;
  return html`<p class="about">${first} first: b ${percent(b)}${why !== undefined && html`. ${shownText(why)}`}</p>`;
}

/** Chooses the rows without a script: a radio button for each category, and one for flags. */
function filters(rows: readonly ShownRow[]): Markup | null {
  const choices = filterChoices(rows);
  if (choices.length === 0) return null;
  return html`<fieldset class="filters"><legend>Show</legend>
<label><input type="radio" name="shown" checked> all</label>
${choices.map(({ id, label }) => html`<label><input type="radio" name="shown" id="${id}"> ${label}</label>`)}
</fieldset>`;
}

interface Choice {
  id: string;
  label: string;
  /** CSS selector of the rows that it shows. */
  shows: string;
}

function filterChoices(rows: readonly ShownRow[]): Choice[] {
  const categories = [...new Set(rows.flatMap(({ row }) => row.category ?? []))];
  const choices = categories.length < 2 ? [] : categories;
  const flagged = rows.some(({ row }) => row.flags_a.length + row.flags_b.length > 0);
  return [
    ...choices.map((label, index) => ({
      ...{ id: `shown-${index}`, label },
      shows: `[data-category="${cssText(label)}"]`,
    })),
    ...(flagged ? [{ id: 'shown-flagged', label: 'flagged', shows: '[data-flagged]' }] : []),
  ];
}

/** CSS that hides the rows which the chosen filter does not show. */
export const filterStyle = (rows: readonly ShownRow[]): string =>
  filterChoices(rows)
    .map(
      ({ id, shows }) =>
        `.judged:has(#${id}:checked) .answers tbody tr:not(${shows}) { display: none; }`,
    )
    .join('\n');

/** A text inside quotes in CSS: every character but letters and digits as its code. */
const cssText = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/gu, (letter) => `\\${letter.codePointAt(0)!.toString(16)} `);
