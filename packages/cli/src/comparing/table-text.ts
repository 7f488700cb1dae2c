import {
  type ComparisonResults,
  formatCount,
  formatDuration,
  rowsOf,
  shownColumns,
} from '@keel/align/internal';

/** Columns dropped on a narrow terminal, in this order; the report has them all. */
const spare = ['time', 'tokens', 'reward', 'rejected', 'length', 'likelier'];

/**
 * A comparison's table for a terminal, with a key to its columns.
 * @param terminalWidth in columns
 */
export function tableText(results: ComparisonResults, terminalWidth: number): string {
  const columns = shownColumns(results);
  const table = [
    ['', ...columns.map(({ label }) => label), 'tokens', 'time'],
    ...rowsOf(results).map((row) => [
      row.name,
      ...columns.map((column) => column.cell(row).text),
      row.tokens === null ? '' : formatCount(row.tokens),
      row.seconds === null ? '' : formatDuration(row.seconds),
    ]),
  ];
  const gone = [...spare];
  while (widthOf(table) > terminalWidth && gone.length > 0) {
    const at = table[0]!.indexOf(gone.shift()!);
    if (at > 0) for (const cells of table) cells.splice(at, 1);
  }
  const widths = widthsOf(table);
  const lines = table.map((cells) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd(),
  );
  const shown = columns.filter(({ label }) => table[0]!.includes(label));
  const width = Math.max(...shown.map(({ label }) => label.length));
  const about = shown.map(({ label, about }) => `  ${label.padEnd(width)}  ${about}`);
  return [...lines, '', ...about, ''].join('\n');
}

const widthsOf = (table: readonly (readonly string[])[]): number[] =>
  table[0]!.map((_, at) => Math.max(...table.map((cells) => cells[at]!.length)));

const widthOf = (table: readonly (readonly string[])[]): number =>
  widthsOf(table).reduce((sum, width) => sum + width + 2, -2);
