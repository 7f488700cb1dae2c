// The table of a comparison: its columns and their content.

import { formatCount } from '../runs/progress.ts';
import { formatNumber, formatShare } from '../runs/report/format.ts';
import type { ComparisonResults } from './comparison-results.ts';
import { formatSuite, formatSuiteInterval, type SuiteNumbers } from './suite-numbers.ts';
import {
  type EntryNumbers,
  type Group,
  type Metric,
  relative,
  type Summary,
  shares,
} from './summarise.ts';

/** A column with a metric of the comparison itself. */
export interface Column {
  metric: Metric;
  label: string;
  /** What it shows, in a few words. */
  about: string;
  /** Which direction is better; null if neither is on its own. */
  better: 'higher' | 'lower' | null;
}

/** The columns in order; those of a reward are only shown if there is one. */
export const columns: readonly Column[] = [
  {
    metric: 'win_rate',
    label: 'win rate',
    about: "share of answers that the reward prefers to the reference's answer; ties count half",
    better: 'higher',
  },
  {
    metric: 'reward',
    label: 'reward',
    about: 'mean reward of the answers',
    better: 'higher',
  },
  {
    metric: 'accuracy',
    label: 'accuracy',
    about:
      'share of held-out pairs whose chosen answer gained more log-probability over the reference than the rejected one (the implicit reward of DPO)',
    better: 'higher',
  },
  {
    metric: 'likelier',
    label: 'likelier',
    about:
      'share of held-out pairs whose chosen answer is more likely per token (the implicit reward of objectives without a reference: SimPO, ORPO)',
    better: 'higher',
  },
  {
    metric: 'margin',
    label: 'margin',
    about: "mean of the chosen answer's gain minus the rejected one's, in nats, without beta",
    better: 'higher',
  },
  {
    metric: 'chosen',
    label: 'chosen',
    about: "change in the chosen answer's log-probability, in nats; below 0 it became less likely",
    better: 'higher',
  },
  {
    metric: 'rejected',
    label: 'rejected',
    about: "change in the rejected answer's log-probability, in nats",
    better: null,
  },
  {
    metric: 'kl',
    label: 'KL',
    about: 'KL to the reference on sampled answers, in nats per answer (k3)',
    better: null,
  },
  {
    metric: 'length',
    label: 'length',
    about: 'mean tokens of sampled answers',
    better: null,
  },
];

const columnsOf = ({ referenceNumbers }: ComparisonResults): readonly Column[] =>
  columns.filter(({ metric }) => referenceNumbers[metric] !== null);

/** What a table shows besides the name, tokens and time. */
export interface ShownColumn {
  label: string;
  about: string;
  /** The row's number, and its interval; empty if it has no meaning there. */
  cell(row: TableRow): { text: string; interval: string | null; isShare: boolean };
}

/** The comparison's own columns, then those of its suites. */
export const shownColumns = (results: ComparisonResults): readonly ShownColumn[] => [
  ...columnsOf(results).map(({ metric, label, about }) => ({
    ...{ label, about },
    cell(row: TableRow) {
      const summary = cellOf(metric, row);
      const interval = summary === null ? null : formatInterval(metric, summary);
      return { text: formatSummary(metric, summary), interval, isShare: shares.includes(metric) };
    },
  })),
  ...Object.entries(results.referenceSuites).map(([name, { unit, better }]) => ({
    label: name,
    about: `a metric of --eval-suites; ${better} is better`,
    cell({ suites }: TableRow) {
      const interval = formatSuiteInterval(suites[name]);
      return { text: formatSuite(suites[name]), interval, isShare: unit === 'share' };
    },
  })),
];

export const formatMetric = (metric: Metric, value: number): string =>
  shares.includes(metric) ? formatShare(value) : formatNumber(value);

/** The number in a row's cell; null if it has no meaning there. */
const cellOf = (metric: Metric, { name, numbers }: TableRow): Summary | null =>
  name === 'reference' && relative.includes(metric) ? null : numbers[metric];

/** `91% ± 2%`: with the spread over seeds if there are several. */
export function formatSummary(metric: Metric, summary: Summary | null): string {
  if (summary === null) return '';
  const { value, spread } = summary;
  const shown = formatMetric(metric, value);
  return spread === null ? shown : `${shown} ± ${formatMetric(metric, spread)}`;
}

/** `[82%, 96%]` */
const formatInterval = (metric: Metric, { interval: [low, high] }: Summary): string =>
  `[${formatMetric(metric, low)}, ${formatMetric(metric, high)}]`;

/** A line of the table: the reference, or a group. */
export interface TableRow {
  name: string;
  numbers: EntryNumbers;
  suites: SuiteNumbers;
  /** Training tokens, averaged over seeds; null for the reference. */
  tokens: number | null;
  seconds: number | null;
}

/** The untrained reference comes last. */
export const rowsOf = ({
  groups,
  referenceNumbers,
  referenceSuites,
}: ComparisonResults): TableRow[] => [
  ...groups.map((group) => ({
    name: group.name,
    numbers: group.numbers,
    suites: group.suites,
    tokens: meanOf(group, ({ tokens }) => tokens),
    seconds: meanOf(group, ({ seconds }) => seconds),
  })),
  {
    ...{ name: 'reference', numbers: referenceNumbers, suites: referenceSuites },
    ...{ tokens: null, seconds: null },
  },
];

const meanOf = ({ entries }: Group, of: (entry: Group['entries'][number]) => number): number =>
  entries.reduce((sum, entry) => sum + of(entry), 0) / entries.length;

/** The table in Markdown, with intervals for shares. */
export function markdownTable(results: ComparisonResults): string {
  const shown = shownColumns(results);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cellText = (column: ShownColumn, row: TableRow): string => {
    const { text, interval, isShare } = column.cell(row);
    return isShare && interval !== null ? `${text} ${interval}` : text;
  };
  const lines = [
    line(['', ...shown.map(({ label }) => label), 'tokens']),
    line(['---', ...shown.map(() => '---:'), '---:']),
    ...rowsOf(results).map((row) =>
      line([
        row.name,
        ...shown.map((column) => cellText(column, row)),
        row.tokens === null ? '' : formatCount(row.tokens),
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}
