import type { MetricsRow } from './metrics.ts';

/**
 * Rows on their way to a file: those that could not be written are tried again, in order and none
 * twice.
 */
export class PendingRows {
  readonly #append: (row: MetricsRow) => void;
  readonly #rows: MetricsRow[] = [];

  /** @param append writes a row as a whole, or throws and writes nothing of it */
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
