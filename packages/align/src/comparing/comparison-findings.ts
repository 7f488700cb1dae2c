// Sums up a comparison's table in sentences.
import { formatShare } from '../runs/report/format.ts';
import type { ComparisonResults } from './comparison-results.ts';
import { columns } from './comparison-table.ts';
import type { Group } from './summarise.ts';

/** Whether there is a clear lead, whether budgets are equal, and what a column hides. */
export function findings(results: ComparisonResults): string[] {
  const { groups, leads, metric, sameBudget, reference } = results;
  const [first] = groups;
  const said: string[] = [];
  const label = columns.find((one) => one.metric === metric)!.label;
  const led = ({ numbers }: Group): number => numbers[metric]!.value;
  if (first !== undefined && leads.length > 0) {
    const level = groups.filter((group) => led(group) === led(first));
    const leaders =
      level.length === 1
        ? `${first.name} leads`
        : `${listed(level.map(({ name }) => name))} are tied for the lead`;
    const unclear = leads
      .filter(({ clear, over }) => !clear && !level.some(({ name }) => name === over))
      .map(({ over }) => over);
    const items =
      metric === 'accuracy'
        ? `${reference.pairs.rows.length} pairs`
        : `${reference.answers.length} prompts`;
    said.push(
      unclear.length === 0
        ? `${leaders} by ${label}${level.length < groups.length ? `, by more than the choice of these ${items} explains` : ''}.`
        : `${leaders} by ${label}, but these ${items} cannot distinguish ${level.length === 1 ? 'it' : 'them'} from ${listed(unclear)} (paired bootstrap and sign test, 95%).`,
    );
  }
  // The reference against itself; the same for accuracy.
  const before = 0.5;
  if (first !== undefined && led(first) <= before) {
    said.push(
      `No entry beats the reference by ${label}: ${first.name} has ${formatShare(led(first))}, the reference ${formatShare(before)}.`,
    );
  }
  if (groups.length > 0 && groups.every(({ entries }) => entries.length === 1)) {
    said.push(
      'Each entry ran with one seed, so these intervals do not include variation between seeds.',
    );
  }
  const displaced = groups.filter(
    ({ numbers: { chosen, margin } }) =>
      chosen!.interval[1] < 0 && chosen!.value + (chosen!.spread ?? 0) < 0 && margin!.value > 0,
  );
  if (displaced.length > 0) {
    said.push(
      `Chosen answers became less likely under ${listed(displaced.map(({ name }) => name))}: the margin comes from rejected answers that fell further.`,
    );
  }
  const cut = groups.filter(({ numbers }) => numbers.ended!.value < 0.5);
  if (cut.length > 0) {
    said.push(
      `More than half of the answers of ${listed(cut.map(({ name }) => name))} were cut off, so lengths and win rates describe truncated answers. Raise --max-new-tokens.`,
    );
  }
  if (!sameBudget) {
    said.push(
      'Entries with the same seed were trained on different numbers of tokens, because rows that did not fit were replaced.',
    );
  }
  return said;
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
