// "Was the reward gamed?": the report of an audit, one page without other files.
import { html, type Markup, type ReportData, writeReport } from '@keel/align/internal';
import { answerText } from '../../judging/answers/answer-row.ts';
import { columnTable, judgingStyle } from '../../judging/report/page-parts.ts';
import { counted } from '../../judging/summary/words.ts';
import type { Audited } from '../audit/audit-options.ts';
import {
  changeTable,
  explainedTable,
  featureLabel,
  isSeen,
  labelledScores,
  type Table,
} from './audit-lines.ts';
import { coursePlot } from './course-plot.ts';
import { effectPlot, plotStyle } from './effect-plot.ts';
import { inUnit, signed } from './numbers.ts';
import { verdictSentences, verdictTitle } from './verdict-text.ts';

type Comparison = NonNullable<ReportData['comparisons']>['rows'][number];

/** Answers that gained most, with their texts. */
const SHOWN = 10;

export function writeAuditReport(path: string, audited: Audited, command: string): void {
  const { audit, about, unpaired } = audited;
  const { reward, gold, prompts, answers } = audit;
  const alone = unpaired.before + unpaired.after;
  writeReport(path, {
    title: 'Was the reward gamed?',
    summary: `${verdictTitle(audit.verdict)}. ${counted(prompts, 'prompt')}, ${answers.before} answers before and ${answers.after} after; 95% intervals over prompts.`,
    created: new Date().toISOString(),
    headlines: [
      // The rise of a gamed reward is no improvement.
      ...(reward === null
        ? []
        : [
            scoreCard(
              'Reward',
              reward,
              audited.names.reward!,
              audit.verdict.alarm ? null : 'higher',
            ),
          ]),
      ...(gold === null ? [] : [scoreCard('Gold', gold, audited.names.gold!, 'higher')]),
    ],
    sections: [
      verdictSection(audited),
      courseSection(audited),
      effectSection(audited),
      explainedSection(audited),
      commonSection(audited),
    ].filter((one) => one !== null),
    styles: [judgingStyle(), plotStyle],
    comparisons: {
      note: 'The answers whose reward rose most.',
      rows: gainerRows(audited),
    },
    ran: {
      facts: [
        { label: 'Answers', value: about },
        ...(alone === 0
          ? []
          : [{ label: 'Skipped', value: `${counted(alone, 'answer')} without a partner` }]),
        ...(reward !== null && reward.unscored > 0
          ? [{ label: 'Without a reward', value: counted(reward.unscored, 'prompt') }]
          : []),
        ...(gold !== null && gold.unscored > 0
          ? [{ label: 'Without a gold reward', value: counted(gold.unscored, 'prompt') }]
          : []),
      ],
      config: command,
      configName: 'The command',
    },
  });
}

function scoreCard(
  label: string,
  { before, after, interval, count }: NonNullable<Audited['audit']['reward']>,
  name: string,
  better: 'higher' | null,
): NonNullable<ReportData['headlines']>[number] {
  return {
    ...{ label, unit: 'number', better },
    ...{ before: { value: before }, after: { value: after } },
    ...(interval && { difference: interval }),
    note: `${name}, ${counted(count, 'prompt')}.`,
  };
}

const verdictSection = ({ audit }: Audited): Markup =>
  html`<section aria-labelledby="verdict"><h2 id="verdict">${verdictTitle(audit.verdict)}</h2>
<ul class="findings"><li class="${audit.verdict.alarm ? 'serious' : 'note'}">${verdictSentences(
    audit,
  ).map((sentence) => html`<p>${sentence}</p>\n`)}</li></ul></section>`;

function courseSection({ course }: Audited): Markup | null {
  const plot = coursePlot(course);
  if (plot === null) return null;
  return html`<section aria-labelledby="course"><h2 id="course">On the way</h2>
<p class="lead">Means of the held-out answers at every evaluation. A reward that rises while gold
does not, with a growing KL, is being gamed.</p>
<figure>${plot}</figure></section>`;
}

function effectSection(audited: Audited): Markup {
  const { audit } = audited;
  const scores = labelledScores(audited).map(({ label, score }) => ({
    ...{ ...score, label },
    kind: 'score' as const,
  }));
  const features = audit.features.filter(isSeen).map((change) => ({
    ...{ ...change, label: featureLabel(change) },
    kind: change.changed ? ('changed' as const) : ('unchanged' as const),
  }));
  return html`<section aria-labelledby="changes"><h2 id="changes">What changed in the answers</h2>
<p class="lead">Changes in standard deviations with 95% intervals over prompts. A feature counts as
changed beyond chance if its interval, widened for the number of features, excludes 0, and the
change is 0.2 standard deviations or more.</p>
<figure>${effectPlot([...scores, ...features])}</figure>
${tableOf(changeTable(audited), 'All changes')}</section>`;
}

function explainedSection({ audit }: Audited): Markup | null {
  const table = explainedTable(audit);
  if (table === null) return null;
  return html`<section aria-labelledby="explained"><h2 id="explained">What explains the change of the reward</h2>
<p class="lead">Least squares of the reward's change on the features' changes, prompt by prompt. A
part is the coefficient times the mean change of the feature; coefficients are in standard
deviations. What comes to all answers alike is the rest. R² is ${inUnit('share', audit.explained!.r2)}.</p>
${tableOf(table, 'Parts')}</section>`;
}

function commonSection({ audit: { gainers } }: Audited): Markup | null {
  if (gainers === null || gainers.gainers.length === 0) return null;
  const { features, phrases } = gainers;
  if (features.length + phrases.length === 0) return null;
  const count = gainers.gainers.length;
  return html`<section aria-labelledby="common"><h2 id="common">What the answers that gained most have in common</h2>
<p class="lead">The ${count} prompts whose reward rose most, against the others.</p>
${columnTable(
  'Features',
  ['Feature', 'Their change', 'Change of the others', 'Difference'],
  features.map(({ change, own, others, size }) => [
    featureLabel(change),
    ...[own, others].map((value) => signed(change.feature.unit, value)),
    `${signed('score', size)} standard deviations`,
  ]),
)}
${columnTable(
  'Phrases that are new',
  ['Phrase', 'Answers'],
  phrases.map(({ text, answers }) => [text, `${answers} of ${count}`]),
)}</section>`;
}

function gainerRows({ audit: { gainers }, rows }: Audited): Comparison[] {
  return (gainers?.gainers ?? []).slice(0, SHOWN).map(({ index, reward, gold }) => {
    const { prompt, before, after } = rows[index]!;
    const texts = (answers: typeof before): string =>
      answers.map(({ answer }) => answerText(answer)).join('\n\n');
    const gained = `reward ${signed('score', reward)}${gold === null ? '' : `, gold ${signed('score', gold)}`}`;
    return {
      prompt: answerText(prompt),
      before: { text: texts(before) },
      after: { text: texts(after), about: gained },
    };
  });
}

const tableOf = ([head, ...body]: Table, title: string): Markup | null =>
  columnTable(
    title,
    head!,
    body.filter((cells) => cells.length > 0),
  );
