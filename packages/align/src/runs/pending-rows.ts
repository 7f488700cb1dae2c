import type { MetricsRow } from './metrics.ts';

/**
 * Rows to be written to a file. Rows that could not be written are tried again, in order and
 * without duplicates.
 */
export class PendingRows {
  readonly #append: (row: MetricsRow) => void;
  readonly #rows: MetricsRow[] = [];

  /** @param append writes a whole row, or throws and writes nothing */
  constructor(append: (row: MetricsRow) => void) {
    this.#append = append;
  }

  add(row: MetricsRow): void {
    this.#rows.push(row);
  }

  /** @throws what `append` throws; the row is then still pending */
  write(): void {
    for (let row = this.#rows[0]; row !== undefined; row = this.#rows[0]) {
      this.#append(row);
      this.#rows.shift();
    }
  }
}
