// What an evaluation found, as a table in the terminal.
import {
  differenceText,
  type EvaluatedEntry,
  type Evaluation,
  gateText,
  metricId,
  numberText,
} from '@keel/evaluate';
import { say, styled } from '../terminal.ts';

/** Metrics of every task that are shown; a line names the others, which the report has. */
const SHOWN = 4;

export function printEvaluation({ entries, gates, seconds, report }: Evaluation): void {
  const [first] = entries as readonly [EvaluatedEntry, ...EvaluatedEntry[]];
  const hidden: string[] = [];
  const rows = first.results.flatMap(({ task }, at) => {
    const results = entries.map((one) => one.results[at]!);
    const measured = task.metrics.filter((metric) =>
      results.some(({ estimates }) => estimates.has(metricId(metric))),
    );
    hidden.push(...measured.slice(SHOWN).map((metric) => `${task.name}/${metricId(metric)}`));
    return measured.slice(0, SHOWN).map((metric, place) => {
      const cells = results.map(({ estimates }) => {
        const found = estimates.get(metricId(metric))?.estimate;
        if (found === undefined) return '-';
        const [low, high] = found.interval.map((one) => numberText(metric, one));
        return `${numberText(metric, found.value)} (${low} to ${high})`;
      });
      const count = Math.max(...results.map(({ outcomes, skipped }) => outcomes.length - skipped));
      return [
        place === 0 ? task.name : '',
        place === 0 ? String(count) : '',
        metricId(metric),
        ...cells,
      ];
    });
  });
  const names = entries.map(({ entry }) => entry.name);
  say(`\n${columns([['task', 'rows', 'metric', ...names], ...rows])}`);
  say('\nIn brackets: 95% intervals over rows.');
  if (hidden.length > 0) say(`Only in the report: ${hidden.join(', ')}`);
  for (const { entry, differences } of entries.slice(1)) {
    say(`\n${entry.name} minus ${first.entry.name}, on the same rows:`);
    const shown = first.results.flatMap(({ task }) =>
      differences.filter((one) => one.task === task.name).slice(0, SHOWN),
    );
    for (const one of shown) {
      const sure = one.interval[0] > 0 || one.interval[1] < 0;
      const text = `  ${one.task} ${metricId(one.metric)}: ${differenceText(one)}`;
      say(sure ? styled('bold', text) : text);
    }
  }
  if (gates.length > 0) say('\nGates:');
  for (const gate of gates) {
    const mark = styled(gate.passed ? 'green' : 'red', gate.passed ? '  passed' : '  failed');
    const entry = entries.length > 1 ? `${gate.entry}: ` : '';
    say(mark, `  ${entry}${gateText(gate)}`);
  }
  say(`\n${seconds.toFixed(0)} s. Report:  ${report}`);
}

/** Aligns columns left. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
