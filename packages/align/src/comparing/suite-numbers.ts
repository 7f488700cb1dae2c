// Metrics of --eval-suites in a comparison: over seeds, and as text.
import { formatNumber, formatShare } from '../runs/report/format.ts';
import type { SuiteMetric } from '../training/run-suites.ts';
import type { Measured } from './measured.ts';

/** A metric of a suite's task: its mean over seeds. */
export interface SuiteSummary extends Pick<SuiteMetric, 'value' | 'unit' | 'better'> {
  /** Standard deviation over seeds; null with one. */
  spread: number | null;
  /** 95% over the task's rows; null with several seeds, whose rows are the same. */
  interval: SuiteMetric['interval'] | null;
}

/** By `task/metric`. */
export type SuiteNumbers = Readonly<Record<string, SuiteSummary>>;

/** @param runs of one group, each with another seed; a metric that one of them lacks is left out */
export function suiteNumbersOf(runs: readonly Pick<Measured, 'suites'>[]): SuiteNumbers {
  const [first] = runs;
  const names = Object.keys(first?.suites ?? {});
  return Object.fromEntries(
    names.flatMap((name) => {
      const all = runs.flatMap(({ suites }) => suites[name] ?? []);
      if (all.length < runs.length) return [];
      const { unit, better, interval } = all[0]!;
      const value = all.reduce((sum, one) => sum + one.value, 0) / all.length;
      const squares = all.reduce((sum, one) => sum + (one.value - value) ** 2, 0);
      const spread = all.length === 1 ? null : Math.sqrt(squares / (all.length - 1));
      const summary = { value, unit, better, spread, interval: spread === null ? interval : null };
      return [[name, summary] as const];
    }),
  );
}

const formatOf = ({ unit }: SuiteSummary) => (unit === 'share' ? formatShare : formatNumber);

/** `91% ± 2%`: with the spread over seeds if there are several; empty without a number. */
export function formatSuite(summary: SuiteSummary | undefined): string {
  if (summary === undefined) return '';
  const show = formatOf(summary);
  const { value, spread } = summary;
  return spread === null ? show(value) : `${show(value)} ± ${show(spread)}`;
}

/** `[82%, 96%]`; null without an interval. */
export function formatSuiteInterval(summary: SuiteSummary | undefined): string | null {
  if (summary === undefined || summary.interval === null) return null;
  const [low, high] = summary.interval.map(formatOf(summary));
  return `[${low}, ${high}]`;
}
