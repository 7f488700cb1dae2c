// Counts converted, skipped and bad rows, and dropped columns, so that nothing is dropped silently.
import { inPlainWords } from '@keel/model';
import { DataError, type Fail, type Place } from '../data/data-error.ts';
import type { Reading } from './formats/example.ts';

export interface ConversionSummary {
  /** What the rows were read as, and why. */
  format: string;
  reason: string;
  output: string;
  read: number;
  written: number;
  /** Rows written whose prompt is plain text. */
  plain: number;
  badRows: number;
  /** The first bad row; null if there is none. */
  firstBadRow: string | null;
  /** Examples that become no row, by reason. */
  skipped: Readonly<Record<string, number>>;
  /** Columns that the rows cannot hold, with the number of examples and the reason. */
  dropped: readonly { column: string; rows: number; why: string }[];
}

export class Tally {
  read = 0;
  written = 0;
  plain = 0;
  readonly #onBadRow: 'fail' | 'skip';
  readonly #skipped = new Map<string, number>();
  readonly #dropped = new Map<string, { column: string; rows: number; why: string }>();
  #badRows = 0;
  #firstBad: DataError | null = null;

  constructor(onBadRow: 'fail' | 'skip') {
    this.#onBadRow = onBadRow;
  }

  /** Counts bad rows. @throws the error unless bad rows are skipped */
  bad(error: DataError, rows = 1): void {
    if (this.#onBadRow === 'fail') throw withAdvice(error);
    this.#badRows += rows;
    this.#firstBad ??= error;
  }

  /**
   * @param rows that the example is made of
   * @returns undefined for a bad example, whose rows are skipped
   */
  take<Made>(place: Place, make: () => Made, rows = 1): Made | undefined {
    try {
      return inPlainWords(
        (reason, cause) => new DataError({ ...place, found: reason }, { cause }),
        make,
      );
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.bad(error, rows);
      return undefined;
    }
  }

  /** What the example at a place reports. */
  reading(place: Place, score: string | null): Reading {
    const fail: Fail = (field, details) => {
      throw new DataError({ ...place, field, ...details });
    };
    const seen = new Set<string>();
    return {
      ...{ score, place, fail },
      drop: (column, why) => {
        const key = `${column}\n${why}`;
        if (seen.has(key)) return;
        seen.add(key);
        const entry = this.#dropped.get(key) ?? { column, rows: 0, why };
        this.#dropped.set(key, { ...entry, rows: entry.rows + 1 });
      },
      skip: (why) => {
        this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + 1);
        return null;
      },
    };
  }

  /** The error if no row is written. */
  nothing(file: string): DataError {
    const reasons = [...this.#skipped].map(([why, rows]) => `${rows} skipped: ${why}`);
    if (this.#badRows > 0) reasons.unshift(`${this.#badRows} bad rows`);
    return new DataError({
      file,
      expected: 'at least one row to write',
      found: reasons.length === 0 ? 'none' : `none (${reasons.join('; ')})`,
      ...(this.#firstBad !== null && { advice: `First fault: ${this.#firstBad.message}` }),
    });
  }

  summary(
    output: string,
    { format, reason }: { format: { name: string }; reason: string },
  ): ConversionSummary {
    return {
      ...{ format: format.name, reason, output },
      ...{ read: this.read, written: this.written, plain: this.plain, badRows: this.#badRows },
      firstBadRow: this.#firstBad?.message ?? null,
      skipped: Object.fromEntries(this.#skipped),
      dropped: [...this.#dropped.values()],
    };
  }
}

const withAdvice = (error: DataError): DataError => {
  if (error.advice !== undefined) return error;
  const { file, line, row, field, expected, found } = error;
  const place = { file, ...(line !== undefined && { line }), ...(row !== undefined && { row }) };
  const what = {
    ...(field !== undefined && { field }),
    ...(expected !== undefined && { expected }),
  };
  const advice = 'Fix the row, or skip bad rows with --on-bad-row skip';
  return new DataError({ ...place, ...what, found, advice }, { cause: error });
};
