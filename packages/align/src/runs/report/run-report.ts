// Writes the report of a run of the command line, from its own metrics and environment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wilsonInterval } from '../../evaluation/intervals.ts';
import type { Environment } from '../environment.ts';
import { MetricsLog, type MetricsRow } from '../metrics.ts';
import { formatDuration } from '../progress.ts';
import type { RunFolder } from '../run-folder.ts';
import { formatNumber, formatShare } from './format.ts';
import type { Estimate, Headline, ReportData } from './report-data.ts';
import { writeReport } from './write-report.ts';

/** A number from the evaluations before and after training, shown at the top of the report. */
export interface MeasuredHeadline extends Pick<Headline, 'label' | 'unit' | 'better'> {
  /** Its name in metrics.jsonl, for example `eval_loss`. */
  metric: string;
  /** Of a share: the metric with the number of items, from which its interval follows. */
  count?: string;
}

export interface RunFacts {
  verb: string;
  options: { model: string };
  headlines: readonly MeasuredHeadline[];
  environment: Environment;
  /** Number of held-out rows. */
  heldOutRows: number;
  /** Duration of this call. */
  seconds: number;
  /** What this kind of run adds to the report. */
  shown?: Partial<ReportData> | undefined;
}

/** Writes the run's report.html. @returns the numbers at its top */
export function writeRunReport(
  run: Pick<RunFolder, 'path' | 'metricsPath' | 'reportPath' | 'finalPath'>,
  facts: RunFacts,
): readonly Headline[] {
  const metrics = MetricsLog.read(run.metricsPath);
  const report = reportOf(run, metrics, facts);
  writeReport(run.reportPath, report);
  return report.headlines ?? [];
}

function reportOf(
  { path, finalPath }: Pick<RunFolder, 'path' | 'finalPath'>,
  metrics: MetricsRow[],
  { verb, options, headlines, environment, heldOutRows, seconds, shown: own }: RunFacts,
): ReportData {
  const steps = metrics.reduce((last, { step }) => Math.max(last, step), 0);
  const measured = headlines.flatMap((one) => headlineOf(one, metrics, heldOutRows));
  // More precise numbers from this kind of run replace those from the metrics.
  const { headlines: better = [], ...others } = own ?? {};
  const shown = measured.map((one) => better.find(({ label }) => label === one.label) ?? one);
  const hashes = (label: string, byName: Readonly<Record<string, string>>) =>
    Object.entries(byName).map(([name, hash]) => ({
      label,
      value: `${name} (SHA-256 ${hash.slice(0, 12)}…)`,
    }));
  return {
    title: `${options.model}: keel ${verb}`,
    summary: summaryOf(steps, shown[0]),
    created: new Date().toISOString(),
    headlines: shown,
    metrics,
    ...others,
    ran: {
      facts: [
        ...hashes('Model', environment.modelHashes),
        ...hashes('Data', environment.dataHashes),
        {
          label: 'Machine',
          value: `${environment.cpu}, ${environment.device}, ${environment.threads} threads`,
        },
        { label: 'LibTorch', value: environment.torch },
        { label: 'Time of this call', value: formatDuration(seconds) },
        { label: 'Result', value: finalPath },
      ],
      config: readFileSync(join(path, 'config.yaml'), 'utf8'),
    },
  };
}

/** From the first and the last evaluation; none if there was no evaluation. */
function headlineOf(
  { metric, count, label, unit, better }: MeasuredHeadline,
  metrics: readonly MetricsRow[],
  heldOutRows: number,
): Headline[] {
  const estimates = metrics.flatMap((row): Estimate[] => {
    const value = row[metric];
    if (value === undefined) return [];
    const items = count === undefined ? undefined : row[count];
    return [items ? { value, interval: wilsonInterval(value * items, items) } : { value }];
  });
  const [first] = estimates;
  const after = estimates.at(-1);
  if (first === undefined || after === undefined) return [];
  const before = estimates.length > 1 ? first : null;
  const last = metrics.findLast((row) => row[metric] !== undefined)!;
  const [earlier] = metrics.filter((row) => row[metric] !== undefined);
  const notes = [
    `${heldOutRows} held-out rows`,
    ...(before && metric === ACCURACY ? tieNotes(earlier!, last) : []),
  ];
  return [{ label, unit, better, before, after, note: notes.join('; ') }];
}

const ACCURACY = 'eval_rewards/accuracies';
const TIES = 'eval_rewards/ties';

/** What ties mean: before the first step, all pairs are tied. */
function tieNotes(before: MetricsRow, after: MetricsRow): string[] {
  const shares = [before[TIES] ?? 0, after[TIES] ?? 0];
  if (shares.every((share) => share === 0)) return [];
  const [first, last] = shares.map(formatShare);
  return [`ties count half (${first} of the pairs before, ${last} after)`];
}

function summaryOf(steps: number, headline: Headline | undefined): string {
  const took = `${steps} optimizer ${steps === 1 ? 'step' : 'steps'}`;
  if (!headline?.before)
    return `${took}. No held-out rows were given (--eval-data), so this report does not show how the model does on other data.`;
  const { label, before, after } = headline;
  return `${took}; ${label.toLowerCase()} went from ${formatNumber(before.value)} to ${formatNumber(after.value)}.`;
}
