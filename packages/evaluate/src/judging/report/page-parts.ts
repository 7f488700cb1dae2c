// Parts that the reports of judging and of checking a judge share.
import { readFileSync } from 'node:fs';
import { html, type Markup, type ReportData } from '@keel/align/internal';
import type { Proportion } from '@keel/statistics';
import type { Finding } from '../summary/summary-types.ts';

export const judgingStyle = (): string =>
  readFileSync(new URL('./judging.css', import.meta.url), 'utf8');

export type Headlines = NonNullable<ReportData['headlines']>;

/** A share as a card; none where it does not exist. */
export const shareCard = (
  label: string,
  share: Pick<Proportion, 'value' | 'interval'> | null,
  note: string,
): Headlines =>
  share === null ? [] : [{ label, before: null, after: share, unit: 'share', better: null, note }];

export function findingList(findings: readonly Finding[]): Markup | null {
  if (findings.length === 0) return null;
  const titles = { serious: 'Serious', warning: 'Warning', note: 'Note' };
  return html`<section aria-labelledby="findings">
<h2 id="findings">What to know first</h2>
<ul class="findings">${findings.map(
    ({ code, severity, text }) =>
      html`<li class="${severity}"><h3>${titles[severity]}: ${code}</h3><p>${text}</p></li>\n`,
  )}</ul>
</section>`;
}

export type CountRow = readonly [label: string, value: string];

export const countTable = (title: string, rows: readonly CountRow[]): Markup =>
  html`<section aria-label="${title}">
<h2>${title}</h2>
<table class="counts"><tbody>${rows.map(([label, value]) => html`<tr><th scope="row">${label}</th><td>${value}</td></tr>`)}</tbody></table>
</section>`;

export const columnTable = (
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Markup | null =>
  rows.length === 0
    ? null
    : html`<section aria-label="${title}">
<h2>${title}</h2>
<table class="counts"><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(
        ([first, ...cells]) =>
          html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
      )}</tbody></table>
</section>`;
