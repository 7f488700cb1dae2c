// The results of a comparison: groups of entries, their numbers, and who leads.
import { join } from 'node:path';
import type { Comparison } from './comparison.ts';
import type { Measured } from './measured.ts';
import { type SuiteNumbers, suiteNumbersOf } from './suite-numbers.ts';
import {
  type EntryNumbers,
  type Group,
  groupsOf,
  itemsOf,
  type Lead,
  leadMetric,
  leadsOf,
  type MeasuredEntry,
  type Metric,
  numbersOf,
} from './summarise.ts';

export interface ComparisonResults {
  /** The best first. */
  groups: readonly Group[];
  reference: Measured;
  referenceNumbers: EntryNumbers;
  referenceSuites: SuiteNumbers;
  /** The metric that entries are ordered by. */
  metric: Metric;
  /** Leads of the first group over each other group. */
  leads: readonly Lead[];
  /** Entries with the same seed were trained on the same number of tokens. */
  sameBudget: boolean;
  files: { report: string; table: string; plot: string; results: string };
}

export function resultsOf(
  { output }: Pick<Comparison, 'output'>,
  measured: readonly MeasuredEntry[],
  reference: Measured,
): ComparisonResults {
  const groups = groupsOf(measured, reference);
  const bySeed = new Map<number, Set<number>>();
  for (const { entry, tokens } of measured) {
    bySeed.set(entry.seed, (bySeed.get(entry.seed) ?? new Set()).add(tokens));
  }
  return {
    groups,
    reference,
    referenceNumbers: numbersOf([itemsOf(reference, reference)]),
    referenceSuites: suiteNumbersOf([reference]),
    metric: leadMetric(groups[0]!.numbers),
    leads: leadsOf(groups, reference),
    sameBudget: [...bySeed.values()].every(({ size }) => size === 1),
    files: {
      report: join(output, 'report.html'),
      table: join(output, 'table.md'),
      plot: join(output, 'plot.svg'),
      results: join(output, 'results.json'),
    },
  };
}
