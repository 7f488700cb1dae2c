// report.html: every task with its numbers, and the rows whose outcome changed.
import { join } from 'node:path';
import { formatDuration, formatNumber, html, type Markup, writeReport } from '@keel/align/internal';
import type { TaskResult } from '../comparing/task-result.ts';
import type { GateResult } from '../gates/check-gates.ts';
import { type Metric, metricId } from '../tasks/metrics.ts';
import type { EvaluatedEntry, Evaluation, EvaluationOptions } from './evaluation.ts';
import { differenceText, gateText, numberText } from './texts.ts';

/** Changed rows, and failed rows, that are shown of each task. */
const SHOWN = 20;

export function writeEvaluationReport(evaluation: Evaluation, options: EvaluationOptions): void {
  const { entries, gates, seconds, report } = evaluation;
  const [first] = entries;
  const rows = first!.results.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  const names = entries.map(({ entry }) => entry.name);
  writeReport(report, {
    title: entries.length > 1 ? 'Models compared' : `Evaluation of ${names[0]}`,
    summary: `${first!.results.length} tasks with ${rows} rows${entries.length > 1 ? `, on the same rows for ${names.join(', ')}` : ''}.`,
    created: new Date().toISOString(),
    sections: [
      ...(gates.length > 0 ? [gateSection(gates)] : []),
      ...first!.results.map((_, at) => taskSection(at, entries)),
    ],
    styles: [styles],
    ran: {
      facts: [
        ...entries.map(({ entry: { name, model, adapter } }) => ({
          label: name,
          value: adapter === null ? model : `${model} with ${adapter}`,
        })),
        { label: 'Suites', value: [...options.suites, ...options.tasks].join(', ') },
        { label: 'Rows', value: options.limit === null ? 'all' : `the first ${options.limit}` },
        { label: 'Time', value: formatDuration(seconds) },
      ],
      commands: [{ label: 'For programs', command: join(options.output, 'summary.json') }],
    },
  });
}

const styles = `
.evaluation td { text-align: right; }
.evaluation td.changed { font-weight: 600; }
.evaluation td .note { white-space: normal; }
.gates td { text-align: left; }
.rows dd { white-space: pre-wrap; overflow-wrap: anywhere; }
`;

function gateSection(gates: readonly GateResult[]): Markup {
  const failed = gates.filter(({ passed }) => !passed).length;
  return html`<section aria-labelledby="gates">
<h2 id="gates">Gates</h2>
<p class="lead">${failed === 0 ? `All ${gates.length} gates are passed.` : `${failed} of ${gates.length} gates failed.`}</p>
<div class="wide" tabindex="0"><table class="compared gates"><tbody>${gates.map(
    (gate) =>
      html`<tr><th scope="row">${gate.passed ? 'passed' : 'failed'}</th><td>${gate.entry}</td><td>${gateText(gate)}</td></tr>\n`,
  )}</tbody></table></div>
</section>`;
}

function taskSection(at: number, entries: readonly EvaluatedEntry[]): Markup {
  const { task } = entries[0]!.results[at]!;
  const results = entries.map(({ results: own }) => own[at]!);
  const shown = task.metrics.filter((metric) =>
    results.some(({ estimates }) => estimates.has(metricId(metric))),
  );
  const id = `task-${at}`;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${task.name}</h2>
<p class="lead">${task.description || task.type} ${countsOf(results[0]!)}</p>
<div class="wide" tabindex="0"><table class="compared evaluation">
<thead><tr><th scope="col"></th>${shown.map((metric) => html`<th scope="col">${metricId(metric)}</th>`)}</tr></thead>
<tbody>${entries.map(
    ({ entry, differences }, place) =>
      html`<tr><th scope="row">${entry.name}</th>${shown.map((metric) => {
        const found = results[place]!.estimates.get(metricId(metric));
        const change = differences.find(
          (one) => one.task === task.name && metricId(one.metric) === metricId(metric),
        );
        const sure = change !== undefined && (change.interval[0] > 0 || change.interval[1] < 0);
        return html`<td class="${sure ? 'changed' : ''}">${found === undefined ? '' : numberText(metric, found.estimate.value)}<span class="note">${found && intervalText(metric, found.estimate.interval)}</span>${change && html`<span class="note">${differenceText(change)}</span>`}</td>`;
      })}</tr>\n`,
  )}</tbody></table></div>
${labelTable(entries, results)}
${groupTable(entries, results, shown[0])}
${changedRows(entries, results, shown[0])}
</section>`;
}

const countsOf = ({ outcomes, skipped, truncated }: TaskResult): string =>
  `(${outcomes.length} rows${skipped > 0 ? `, ${skipped} skipped` : ''}${truncated > 0 ? `, ${truncated} cut from the left` : ''})`;

const intervalText = (metric: Metric, [low, high]: readonly [number, number]): string =>
  `${numberText(metric, low)} to ${numberText(metric, high)}`;

function labelTable(
  entries: readonly EvaluatedEntry[],
  results: readonly TaskResult[],
): Markup | null {
  const labels = [...new Set(results.flatMap((one) => Object.keys(one.labels)))].sort();
  if (labels.length === 0) return null;
  return html`<div class="wide" tabindex="0"><table class="compared evaluation">
<thead><tr><th scope="col">answers</th>${labels.map((label) => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${entries.map(
    ({ entry }, at) =>
      html`<tr><th scope="row">${entry.name}</th>${labels.map((label) => html`<td>${String(results[at]!.labels[label] ?? 0)}</td>`)}</tr>\n`,
  )}</tbody></table></div>`;
}

function groupTable(
  entries: readonly EvaluatedEntry[],
  results: readonly TaskResult[],
  metric: Metric | undefined,
): Markup | null {
  const groups = [...new Set(results.flatMap((one) => [...one.groups.keys()]))];
  if (groups.length === 0 || metric === undefined) return null;
  const cell = (result: TaskResult, group: string): string => {
    const found = result.groups.get(group)?.get(metricId(metric));
    return found === undefined
      ? ''
      : `${numberText(metric, found.estimate.value)} of ${found.estimate.count}`;
  };
  return html`<details><summary>${metricId(metric)} by group</summary><div class="wide" tabindex="0"><table class="compared evaluation">
<thead><tr><th scope="col"></th>${entries.map(({ entry }) => html`<th scope="col">${entry.name}</th>`)}</tr></thead>
<tbody>${groups.map(
    (group) =>
      html`<tr><th scope="row">${group}</th>${results.map((result) => html`<td>${cell(result, group)}</td>`)}</tr>\n`,
  )}</tbody></table></div></details>`;
}

/**
 * Rows whose first metric differs between the first and the last entry; of one entry, those that
 * were not right.
 */
function changedRows(
  entries: readonly EvaluatedEntry[],
  results: readonly TaskResult[],
  metric: Metric | undefined,
): Markup | null {
  if (metric === undefined) return null;
  const id = metricId(metric);
  const [before, after] = [results[0]!, results.at(-1)!];
  const several = entries.length > 1;
  const rows = after.items.flatMap((item, at) => {
    const [was, is] = [before.outcomes[at]!, after.outcomes[at]!];
    const differs = several
      ? JSON.stringify(was.values[id]) !== JSON.stringify(is.values[id])
      : metric.share && is.values[id] !== 1;
    return differs && is.skipped === undefined ? [{ item, at }] : [];
  });
  if (rows.length === 0 || (!metric.share && !several)) return null;
  const title = several ? 'rows whose outcome changed' : 'rows that were not right';
  return html`<details class="rows"><summary>${rows.length} ${title}</summary>${rows
    .slice(0, SHOWN)
    .map(({ item, at }) => {
      const prompt = String(after.outcomes[at]!.arguments[0]?.[0] ?? '');
      return html`<details class="compared-answers"><summary>row ${item.doc.id}: ${cut(prompt, 160)}</summary><dl>
<div><dt>prompt</dt><dd>${prompt}</dd></div>
<div><dt>right</dt><dd>${cut(after.outcomes[at]!.target, 400)}</dd></div>
${entries.map(({ entry }, place) => {
  const outcome = results[place]!.outcomes[at]!;
  const value = outcome.values[id];
  const note = [
    typeof value === 'number' ? `${id} ${formatNumber(value)}` : '',
    outcome.label ?? '',
  ];
  return html`<div><dt>${entry.name}<span class="note">${note.filter((one) => one !== '').join(', ')}</span></dt><dd>${answerOf(outcome)}</dd></div>`;
})}</dl></details>`;
    })}${rows.length > SHOWN && html`<p class="note">The samples files have all of them.</p>`}</details>`;
}

/** The answer, or the choice with the highest log-likelihood. */
function answerOf({ responses, note }: TaskResult['outcomes'][number]): string {
  const [first] = responses;
  const text = Array.isArray(first) && typeof first[0] === 'string' ? first[0] : null;
  return text === null
    ? (note ?? JSON.stringify(first))
    : `${text}${note === undefined ? '' : `\n\n${note}`}`;
}

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}…`;
