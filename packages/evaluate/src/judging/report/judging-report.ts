// The report of a comparison: one page without other files.
import { html, type Markup, renderReport } from '@keel/align/internal';
import { summaryLines } from '../summary/summary-lines.ts';
import type { JudgingSummary } from '../summary/summary-types.ts';
import { counted, percent, rated } from '../summary/words.ts';
import type { VerdictRow } from '../verdicts/verdict-row.ts';
import { answerLists, filterStyle } from './answer-list.ts';
import { columnTable, countTable, findingList, judgingStyle, shareCard } from './page-parts.ts';

/** Folder with the check of the judge, next to the report. */
export const CHECK = 'check';

/** The report's HTML. @param asked as for {@link summaryLines} */
export function judgingReport(
  summary: JudgingSummary,
  rows: readonly VerdictRow[],
  asked: boolean,
): string {
  const { modelA, modelB, winRate, lengthControlled, orders, longerWins, check } = summary;
  const shown = rows.map((row) => ({ row }));
  const serious = summary.findings.filter(({ code }) => code === 'cannot-tell');
  const of = (count: number): string => `${counted(count, 'pair')}.`;
  const sections = [
    findingList(summary.findings),
    countTable('Numbers', summaryLines(summary, asked)),
    columnTable(
      'By category',
      ['Category', 'Pairs', 'Win rate of b', 'Wins', 'Losses', 'Ties'],
      summary.categories.map(({ category, pairs, winRate: rate, wins, losses, ties }) => [
        ...[category, String(pairs), rated(rate)],
        ...[wins, losses, ties].map(String),
      ]),
    ),
    check &&
      html`<p><a href="${CHECK}/report.html">The judge's verdicts on the labelled pairs</a></p>`,
    answerLists(shown, [modelA, modelB]),
  ];
  return renderReport({
    title: `${modelB} against ${modelA}`,
    summary: [
      winRate === null
        ? `The judge ${summary.judge} gave no verdict on ${counted(summary.pairs, 'pair')}.`
        : `By the judge ${summary.judge}, ${modelB} (b) wins ${percent(winRate.value)} over ${modelA} (a), on ${counted(summary.judged, 'pair')} of answers.`,
      ...serious.map(({ text }) => text),
    ].join(' '),
    created: new Date().toISOString(),
    headlines: [
      ...shareCard('Win rate of b', winRate, of(summary.judged)),
      ...shareCard(
        'Win rate at equal lengths',
        lengthControlled.value === null ? null : lengthControlled,
        'The same verdicts, fitted with the difference of lengths.',
      ),
      ...shareCard(
        'Judge is right',
        check?.accuracy ?? null,
        `${counted(check?.decided ?? 0, 'labelled pair')}.`,
      ),
      ...shareCard('Orders agree', orders.agree, of(orders.pairs)),
      ...shareCard('First place wins', orders.firstWins, 'A fair judge has 50%.'),
      ...shareCard('Longer answer wins', longerWins, of(longerWins?.count ?? 0)),
    ],
    sections: sections.filter((one): one is Markup => one !== null),
    styles: [judgingStyle(), filterStyle(shown)],
  });
}
