import {
  type ComparisonResults,
  columnsOf,
  formatCount,
  formatDuration,
  formatSummary,
  rowsOf,
} from '@keel/align';

/** The table of a comparison for a terminal, and what its columns are. */
export function tableText(results: ComparisonResults): string {
  const columns = columnsOf(results);
  const lines = [
    ['', ...columns.map(({ label }) => label), 'tokens', 'time'],
    ...rowsOf(results).map(({ name, numbers, tokens, seconds }) => [
      name,
      ...columns.map(({ metric }) => formatSummary(metric, numbers[metric])),
      tokens === null ? '' : formatCount(tokens),
      seconds === null ? '' : formatDuration(seconds),
    ]),
  ];
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map((cells) => cells[at]!.length)));
  const table = lines.map((cells) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  '),
  );
  const width = Math.max(...columns.map(({ label }) => label.length));
  const about = columns.map(({ label, about }) => `  ${label.padEnd(width)}  ${about}`);
  return [...table, '', ...about, ''].join('\n');
}
