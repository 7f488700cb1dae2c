import type { DataError, Place } from './data-error.ts';
import type { RowKind } from './rows.ts';

export interface IndexProgress {
  file: string;
  bytesDone: number;
  bytesTotal: number;
  /** Good rows found so far in this file. */
  rows: number;
}

/** What a reader needs to index a file. */
export interface IndexContext {
  /** The name of the file in messages. */
  name: string;
  /** null for rows of any form. */
  kind: RowKind | null;
  /** The field that a column is read as (default: the column's name). */
  fieldOf?(column: string): string;
  /** The column `label` has votes (1, 2, or 0 for a tie), no truth values: CSV's stay text. */
  votes?: boolean;
  /**
   * Whether the value is a good row. Records a bad one, or throws unless bad rows are skipped.
   */
  accept(value: unknown, place: Place): boolean;
  /** Records a row that cannot be read, or throws. */
  reject(error: DataError): void;
  progress(bytesDone: number, bytesTotal: number, rows: number): void;
  /** Rows longer than this many bytes are bad. */
  maxRowBytes: number;
}

/**
 * The good rows of one file, numbered from 0 in file order, with values as in the file.
 */
export interface RowFile {
  readonly length: number;
  value(index: number): Promise<unknown>;
  /** From row `from` to the end, with read-ahead if that is cheaper. */
  iterate(from: number): AsyncIterable<unknown>;
  place(index: number): Place;
  close(): Promise<void>;
}
