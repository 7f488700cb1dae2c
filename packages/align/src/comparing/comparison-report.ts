// The report of a comparison: the table, reward or accuracy against KL, and answers side by side.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount, formatDuration } from '../runs/progress.ts';
import type { ComparedRuns } from '../runs/report/report-data.ts';
import type { ScatterPlot } from '../runs/report/scatter-plot.ts';
import { writeReport } from '../runs/report/write-report.ts';
import type { Comparison } from './comparison.ts';
import { findings } from './comparison-findings.ts';
import type { ComparisonResults } from './comparison-results.ts';
import { columns, formatMetric, rowsOf, shownColumns } from './comparison-table.ts';
import { itemsOf, numbersOf, shares } from './summarise.ts';

/** Prompts whose answers the report shows. */
const SHOWN = 8;

export function writeComparisonReport(comparison: Comparison, results: ComparisonResults): void {
  const { output, options, steps, stages, text } = comparison;
  const { groups, reference, files } = results;
  const ended = groups.flatMap(({ entries }) => entries);
  const seconds = ended.reduce((sum, one) => sum + one.seconds, 0);
  const some =
    ended.length < stages.length
      ? `${ended.length} of ${stages.length} entries finished so far. `
      : '';
  const shown = shownColumns(results);
  const compared: ComparedRuns = {
    columns: [
      ...shown.map(({ label, about }) => ({ label, about })),
      {
        label: 'tokens',
        about: 'training tokens; a prompt counts once for each of its two answers',
      },
      { label: 'time', about: 'training time' },
    ],
    rows: rowsOf(results).map((row) => ({
      name: row.name,
      reports: reportsOf(output, results, row.name),
      cells: [
        ...shown.map((column) => {
          const { text, interval } = column.cell(row);
          return { text, note: interval };
        }),
        { text: row.tokens === null ? '' : formatCount(row.tokens), note: null },
        { text: row.seconds === null ? '' : formatDuration(row.seconds), note: null },
      ],
    })),
    findings: findings(results),
    plot: plotOf(results),
    answers: answersOf(results),
  };
  writeReport(files.report, {
    title: 'Objectives compared',
    summary: `${some}${budgetText(steps, options.batchSize)}, on the same rows in the same order; measured on ${reference.pairs.rows.length} held-out pairs and ${reference.answers.length} prompts.`,
    created: new Date().toISOString(),
    compared,
    ran: {
      facts: [
        { label: 'Model', value: options.model },
        { label: 'Pairs', value: options.data.join(' ') },
        { label: 'Held-out pairs', value: options.evalData.join(' ') },
        { label: 'Reward', value: options.reward ?? 'none' },
        ...(options.evalSuites === null
          ? []
          : [{ label: 'Suites', value: options.evalSuites.join(' ') }]),
        {
          label: 'Answers',
          value: `at most ${options.maxNewTokens} tokens, seed ${options.evalSeed}`,
        },
        { label: 'Training time', value: formatDuration(seconds) },
      ],
      config: text,
      configName: 'The comparison, for keel compare --config',
    },
  });
}

/** The reports of each seed's run. */
function reportsOf(output: string, { groups }: ComparisonResults, group: string) {
  const own = groups.find(({ name }) => name === group)?.entries ?? [];
  return own.flatMap(({ entry: { name, seed } }) =>
    existsSync(join(output, name, 'report.html'))
      ? [{ label: own.length === 1 ? 'run' : `seed ${seed}`, path: `${name}/report.html` }]
      : [],
  );
}

/** The metric that orders the entries, plotted against KL; the reference is at 0. */
export function plotOf(results: ComparisonResults): ScatterPlot {
  const { groups, metric, reference, referenceNumbers } = results;
  const { label } = columns.find((one) => one.metric === metric)!;
  const unit = shares.includes(metric) ? 'share' : 'number';
  const start = referenceNumbers[metric]!.value;
  return {
    title: `${label[0]!.toUpperCase()}${label.slice(1)} against KL to the reference`,
    x: { label: 'KL to the reference, nats per answer', unit: 'number' },
    y: { label, unit },
    groups: [
      ...groups.map(({ name, entries, numbers }) => ({
        label: name,
        points: entries.map(({ entry, measured }) => {
          const own = numbersOf([itemsOf(measured, reference)]);
          return { name: entry.name, x: own.kl!.value, y: own[metric]!.value };
        }),
        interval: numbers[metric]!.interval,
      })),
      { label: 'reference', points: [{ name: 'reference', x: 0, y: start }], interval: null },
    ],
  };
}

function answersOf({ groups, reference }: ComparisonResults): ComparedRuns['answers'] {
  const sides = [
    { name: 'reference', answers: reference.answers },
    ...groups.map(({ name, entries }) => ({ name, answers: entries[0]!.measured.answers })),
  ];
  return reference.answers.slice(0, SHOWN).map(({ prompt }, at) => ({
    prompt,
    answers: sides.map(({ name, answers }) => {
      const { text, tokens, ended, score } = answers[at]!;
      const length = `${tokens} tokens${ended ? '' : ', cut off'}`;
      const judged = score === null ? '' : ` · reward ${formatMetric('reward', score)}`;
      return { name, text, note: length + judged };
    }),
  }));
}

/** What each objective is trained on. */
export const budgetText = (steps: number, batchSize: number): string =>
  `${steps} ${steps === 1 ? 'step' : 'steps'} of ${batchSize} ${batchSize === 1 ? 'pair' : 'pairs'} each`;
