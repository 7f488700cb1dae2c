import { say } from '../terminal.ts';

/**
 * A table whose first columns are text and whose others are numbers.
 * @param texts how many columns are text
 */
export function showTable(table: readonly (readonly string[])[], texts = 1): void {
  const widths = table[0]!.map((_, at) => Math.max(...table.map((cells) => cells[at]!.length)));
  for (const cells of table) {
    const line = cells.map((cell, at) =>
      at < texts ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
    );
    say(line.join('  ').trimEnd());
  }
}
