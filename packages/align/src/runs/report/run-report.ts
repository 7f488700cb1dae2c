// Writes the report of a run of the command line, from its own metrics and environment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wilsonInterval } from '@keel/statistics';
import { contentText } from '../../data/messages.ts';
import type { Health } from '../../health/monitor.ts';
import { type AnswerLine, answersByStep } from '../answers-log.ts';
import type { Environment } from '../environment.ts';
import type { HeldOutBatches } from '../held-out-batches.ts';
import { MetricsLog, type MetricsRow } from '../metrics.ts';
import { formatDuration } from '../progress.ts';
import type { RunFolder } from '../run-folder.ts';
import { formatNumber, formatShare } from './format.ts';
import type { AnswerCourse, Estimate, Headline, ReportData } from './report-data.ts';
import { trainingHeadlines } from './training-headlines.ts';
import { writeReport } from './write-report.ts';

/** A number from the evaluations before and after training, shown at the top of the report. */
export interface MeasuredHeadline extends Pick<Headline, 'label' | 'unit' | 'better'> {
  /** Its name in metrics.jsonl, for example `eval_loss`. */
  metric: string;
  /** For a share: the metric with the number of items, which determines its interval. */
  count?: string;
}

export interface RunFacts {
  verb: string;
  options: { model: string; reward?: string };
  headlines: readonly MeasuredHeadline[];
  environment: Environment;
  /** Files of rows, by their names in messages. */
  data: { training: readonly string[]; heldOut: readonly string[] | null };
  health: Health;
  /** Greedy answers to the sample prompts. */
  answers: readonly AnswerLine[];
  /** The evaluation whose weights are the result; null: the result has those of the last step. */
  best: { step: number; metric: string; value: number } | null;
  /** The evaluations batch by batch, for intervals. */
  batches: HeldOutBatches | null;
  /** Number of held-out rows. */
  heldOutRows: number;
  /** How certain the labels of the training rows are; absent if all are certain. */
  labels?: string | undefined;
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
  all: MetricsRow[],
  facts: RunFacts,
): ReportData {
  const { verb, options, headlines, environment, heldOutRows, seconds, shown: own } = facts;
  const { health, best, data, labels, answers, batches } = facts;
  const steps = all.reduce((last, { step }) => Math.max(last, step), 0);
  const until = best?.step ?? steps;
  const measured = headlines.flatMap((one) =>
    headlineOf(one, all, { heldOutRows, until, batches }),
  );
  // More precise numbers from this kind of run replace those from the metrics.
  const { headlines: better = [], ...others } = own ?? {};
  if (measured.length === 0) measured.push(...trainingHeadlines(all));
  const doubtful = health.findings.some(({ severity }) => severity === 'serious');
  const shown = measured.map((one) => ({
    ...(better.find(({ label }) => label === one.label) ?? one),
    doubtful,
  }));
  const hash = (byName: Readonly<Record<string, string>>, name: string): string =>
    byName[name] === undefined ? name : `${name} (SHA-256 ${byName[name].slice(0, 12)}…)`;
  const named = (label: string, files: readonly string[] | null) =>
    files === null ? [] : [{ label, value: hash(environment.dataHashes, files.join(' ')) }];
  const course = courseOf(answers, until);
  return {
    title: `${options.model}: keel ${verb}`,
    summary: [
      summaryOf(steps, heldOutRows > 0 ? shown[0] : undefined),
      ...(best === null
        ? []
        : [
            `The result has the weights after step ${best.step}, which have the best ${best.metric} (${formatNumber(best.value)}).`,
          ]),
    ].join(' '),
    created: new Date().toISOString(),
    health,
    headlines: shown,
    metrics: all,
    ...(course && { course }),
    ...others,
    ran: {
      facts: [
        ...Object.keys(environment.modelHashes).map((name) => ({
          label: 'Model',
          value: hash(environment.modelHashes, name),
        })),
        ...named('Training data', data.training),
        ...(labels === undefined ? [] : [{ label: 'Training labels', value: labels }]),
        ...named('Held-out data', data.heldOut),
        ...(options.reward === undefined ? [] : [{ label: 'Reward', value: options.reward }]),
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

/** From the first evaluation and that of the result; none if there was no evaluation. */
function headlineOf(
  { metric, count, label, unit, better }: MeasuredHeadline,
  metrics: readonly MetricsRow[],
  { heldOutRows, until, batches }: Pick<RunFacts, 'heldOutRows' | 'batches'> & { until: number },
): Headline[] {
  const measured = metrics.flatMap((row) => {
    const value = row[metric];
    if (value === undefined || row.step > until) return [];
    const items = count === undefined ? undefined : row[count];
    const estimate: Estimate = items
      ? { value, interval: wilsonInterval(value * items, items) }
      : { value };
    return [{ row, estimate }];
  });
  const [first] = measured;
  const last = measured.at(-1);
  if (first === undefined || last === undefined) return [];
  const before = measured.length > 1 ? first.estimate : null;
  const found = batches?.difference(metric.replace(/^eval_/, ''), last.row.step) ?? null;
  // Student's interval of a few batches may be wider than the change of a share can be.
  const limit = unit === 'share' ? 1 : Number.POSITIVE_INFINITY;
  const difference = found && ([Math.max(-limit, found[0]), Math.min(limit, found[1])] as const);
  const notes = [
    `${heldOutRows} held-out rows`,
    ...(before && metric === ACCURACY ? tieNotes(first.row, last.row) : []),
  ];
  const note = notes.join('; ');
  const after = last.estimate;
  return [{ label, unit, better, before, after, ...(difference && { difference }), note }];
}

const ACCURACY = 'eval_rewards/accuracies';
const TIES = 'eval_rewards/ties';

/** Explains ties: before the first step, all pairs are tied. */
function tieNotes(before: MetricsRow, after: MetricsRow): string[] {
  const shares = [before[TIES] ?? 0, after[TIES] ?? 0];
  if (shares.every((share) => share === 0)) return [];
  const [first, last] = shares.map(formatShare);
  return [`ties count half (${first} of the pairs before, ${last} after)`];
}

/** @param until step of the result: later answers are those of other weights */
function courseOf(answers: readonly AnswerLine[], until: number): AnswerCourse | null {
  const sets = answersByStep(answers);
  const last = sets.at(-1);
  if (last === undefined) return null;
  const prompts = [...new Set(last.answers.map(({ prompt }) => contentText(prompt)))];
  const tokens = Math.max(...answers.map((one) => one.tokens));
  return {
    note: `Greedy answers to a few prompts, at most ${tokens} tokens long.`,
    times: sets.map(({ step }) =>
      step === 0 ? 'Before' : `After step ${step}${step === until ? ' (the result)' : ''}`,
    ),
    rows: prompts.map((prompt) => ({
      prompt,
      answers: sets.map(({ answers: own }) => {
        const found = own.find((one) => contentText(one.prompt) === prompt);
        if (found === undefined) return null;
        const about = `${found.tokens} tokens${found.ended ? '' : ', cut off'}`;
        return { text: found.completion, about };
      }),
    })),
  };
}

function summaryOf(steps: number, headline: Headline | undefined): string {
  const took = `${steps} optimizer ${steps === 1 ? 'step' : 'steps'}`;
  if (!headline?.before)
    return `${took}. No held-out rows were given (--eval-data), so this report does not show how the model does on other data.`;
  const { label, before, after } = headline;
  return `${took}; ${label.toLowerCase()} went from ${formatNumber(before.value)} to ${formatNumber(after.value)}.`;
}
