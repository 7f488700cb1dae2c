// Writes the report of a run of the command line, from its own metrics and environment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { MetricsLog, type MetricsRow } from '../metrics.ts';
import { formatDuration } from '../progress.ts';
import type { RunFolder } from '../run-folder.ts';
import { formatNumber } from './format.ts';
import type { Headline, ReportData } from './report-data.ts';
import { writeReport } from './write-report.ts';

/** A number from the evaluations before and after training, shown at the top of the report. */
export interface MeasuredHeadline extends Pick<Headline, 'label' | 'unit' | 'better'> {
  /** Its name in metrics.jsonl, for example `eval_loss`. */
  metric: string;
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
  { metric, label, unit, better }: MeasuredHeadline,
  metrics: readonly MetricsRow[],
  heldOutRows: number,
): Headline[] {
  const values = metrics.flatMap((row) => (row[metric] === undefined ? [] : [row[metric]]));
  const [first] = values;
  const last = values.at(-1);
  if (first === undefined || last === undefined) return [];
  const before = values.length > 1 ? { value: first } : null;
  return [
    { label, unit, better, before, after: { value: last }, note: `${heldOutRows} held-out rows` },
  ];
}

function summaryOf(steps: number, headline: Headline | undefined): string {
  const took = `${steps} optimizer ${steps === 1 ? 'step' : 'steps'}`;
  if (!headline?.before)
    return `${took}. No held-out rows were given (--eval-data), so this report does not show how the model does on other data.`;
  const { label, before, after } = headline;
  return `${took}; ${label.toLowerCase()} went from ${formatNumber(before.value)} to ${formatNumber(after.value)}.`;
}
