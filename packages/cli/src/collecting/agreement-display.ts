import { counted } from '@keel/align/checking';
import type {
  AgreementReport,
  Consensus,
  Habits,
  KindAgreement,
  PersonQuality,
} from '@keel/studio';
import { say, styled } from '../terminal.ts';
import { showTable } from './show-table.ts';

type Agreement = KindAgreement['fleiss'];
type Share = Habits['left'];

/** @param consensus null if it was not computed */
export function showAgreement(report: AgreementReport, consensus: Consensus | null): void {
  const { tasks, people, all, skipped, kinds } = report;
  const skips = skipped === 0 ? '' : `, ${skipped} skipped`;
  const verdicts = `${counted(all.verdicts, 'verdict')} of ${people.length === 1 ? '1 person' : `${people.length} people`}`;
  say(`${verdicts} on ${counted(tasks, 'task')}${skips}`);
  for (const kind of kinds) showKind(kind);
  say(styled('bold', '\nPeople'));
  const accuracies = consensus === null ? [] : Object.entries(consensus.accuracies);
  showTable([
    [
      ...['person', 'verdicts', 'as the others', 'as gold', 'left', 'longer', 'seconds'],
      ...accuracies.map(([kind]) => `right (${kind})`),
    ],
    ...people.map(({ person, majority, gold, ...habits }) => [
      ...[person, String(habits.verdicts), shareText(majority), shareText(gold)],
      ...habitCells(habits),
      ...accuracies.map(([, own]) => (person in own ? percent(own[person]!) : '-')),
    ]),
    ['all', String(all.verdicts), '', '', ...habitCells(all), ...accuracies.map(() => '')],
  ]);
  say('');
  say('as the others: the same verdict as most of the others; left, longer: of decided pairs');
  say('intervals: 95%');
  showSuggested(all.afterSuggestion, people);
  if (accuracies.length > 0)
    say('right: probability that a verdict is right, by the model of Dawid and Skene');
  if (kinds.every(({ fleiss }) => fleiss.units === 0)) {
    say('No task has two verdicts. To measure agreement, have some tasks annotated twice');
  }
}

/** Verdicts that are not surely independent, if there are any. */
function showSuggested(count: number, people: AgreementReport['people']): void {
  if (count === 0) return;
  const own = people.filter(({ afterSuggestion }) => afterSuggestion > 0);
  const names = own.map(({ person, afterSuggestion }) => `${person} ${afterSuggestion}`);
  say(
    `${counted(count, 'verdict')} may have been given after a suggestion was shown (${names.join(', ')}). To use each person's last verdict before it, pass --independent`,
  );
}

/** What is remarkable about people's verdicts, if anything is. */
export function showFlags(quality: readonly PersonQuality[]): void {
  const flagged = quality.filter(({ flags }) => flags.length > 0);
  if (flagged.length === 0) return;
  say(styled('bold', '\nLook at'));
  for (const { person, flags } of flagged)
    for (const { flag, evidence } of flags) say(`${person}: ${flag} (${evidence})`);
}

const nouns = { pair: 'pair', ranking: 'pair of ranked answers', thumb: 'answer' } as const;

function showKind({
  kind,
  units,
  ratings,
  counts,
  fleiss,
  krippendorff,
  cohen,
}: KindAgreement): void {
  const of = units === 1 ? `1 ${nouns[kind]}` : `${units} ${nouns[kind].replace(/^\w+/, '$&s')}`;
  const shares = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name.replace('_', ' ')} ${percent(count / ratings)}`);
  say(styled('bold', `\n${of}`), `: ${shares.join(', ')}`);
  const rows = [
    ["Fleiss' kappa", fleiss],
    ["Krippendorff's alpha", krippendorff],
    ...cohen.map(({ people, kappa }) => [`Cohen's kappa, ${people.join(' and ')}`, kappa] as const),
  ] as const;
  showTable([
    ['', 'value', '95% interval', 'rated twice'],
    ...rows.map(([name, one]) => [name, valueText(one), intervalText(one), String(one.units)]),
  ]);
}

const valueText = ({ value }: Agreement): string => (value === null ? '-' : value.toFixed(3));
const intervalText = ({ interval }: Agreement): string =>
  interval === null ? '-' : interval.map((end) => end.toFixed(3)).join(' to ');

const habitCells = ({ left, longer, seconds }: Habits): string[] => [
  shareText(left),
  shareText(longer),
  seconds === null ? '-' : seconds.toFixed(1),
];

function shareText(share: Share): string {
  if (share === null) return '-';
  const { value, interval, count } = share;
  const [low, high] = interval.map((end) => (100 * end).toFixed(0));
  return `${percent(value)} (${low} to ${high}) of ${count}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
