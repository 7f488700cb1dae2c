// The report of a judge's check against people.
import { html, type Markup, reliabilityDiagram, renderReport } from '@keel/align/internal';
import { checkLines } from '../check/check-lines.ts';
import type { CheckSummary, LabelledVerdict } from '../check/check-summary.ts';
import { majorityOf } from '../check/read-labels.ts';
import { counted, percent } from '../summary/words.ts';
import { answerLists, filterStyle } from './answer-list.ts';
import { countTable, findingList, judgingStyle, shareCard } from './page-parts.ts';

/** The report's HTML. */
export function checkReport(summary: CheckSummary, rows: readonly LabelledVerdict[]): string {
  const { judge, accuracy, byOrder, orders, calibration, longerWins } = summary;
  const shown = rows.map((row) => ({ row, note: votesText(row) }));
  const sections = [
    findingList(summary.findings),
    countTable('Numbers', checkLines(summary)),
    calibration &&
      html`<section aria-labelledby="calibration">
<h2 id="calibration">Does the judge's confidence hold?</h2>
<p class="lead">Pairs with similar confidence: how often people prefer the answer that the judge favours. A calibrated judge is on the dashed line.</p>
<div class="reliability-figure">${reliabilityDiagram(calibration.bins)}</div>
</section>`,
    answerLists(shown, ['first', 'second']),
  ];
  return renderReport({
    title: `Check of the judge ${judge}`,
    summary:
      accuracy === null
        ? 'There is no pair on which the judge and most people prefer one answer.'
        : `The judge agrees with people on ${percent(accuracy.value)} of ${counted(summary.decided, 'pair')}.`,
    created: new Date().toISOString(),
    headlines: [
      ...shareCard('Agrees with people', accuracy, `${counted(summary.decided, 'pair')}.`),
      ...shareCard('Right in both orders', byOrder?.both ?? null, ''),
      ...shareCard('Orders agree', orders.agree, `${counted(orders.pairs, 'pair')}.`),
      ...shareCard('First place wins', orders.firstWins, 'A fair judge has 50%.'),
      ...shareCard(
        'Longer answer wins',
        longerWins.judge,
        longerWins.people === null ? '' : `By people ${percent(longerWins.people.value)}.`,
      ),
    ],
    sections: sections.filter((one): one is Markup => one !== null),
    styles: [judgingStyle(), filterStyle(shown)],
  });
}

const names = { a: 'first', b: 'second', tie: 'tie' } as const;

const votesText = ({ votes }: LabelledVerdict): string =>
  votes.length === 1
    ? `label: ${names[votes[0]!]}`
    : `people: ${votes.map((vote) => names[vote]).join(', ')}; most: ${names[majorityOf(votes)]}`;
