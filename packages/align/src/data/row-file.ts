import type { DataError, Place } from './data-error.ts';
import type { RowKind } from './rows.ts';

export interface IndexProgress {
  file: string;
  bytesDone: number;
  bytesTotal: number;
  /** Good rows found so far in this file. */
  rows: number;
}

/** What a reader needs while it goes through a file for the first time. */
export interface IndexContext {
  /** The file's name as messages show it. */
  name: string;
  kind: RowKind;
  /**
   * Whether the value is a good row. A bad one is recorded, or thrown where bad rows are not
   * skipped.
   */
  accept(value: unknown, place: Place): boolean;
  /** Records a row that could not even be read, or throws. */
  reject(error: DataError): void;
  progress(bytesDone: number, bytesTotal: number, rows: number): void;
  /** Rows longer than this many bytes are bad. */
  maxRowBytes: number;
}

/**
 * The good rows of one file, numbered from 0 in the order of the file; values are as the file has
 * them.
 */
export interface RowFile {
  readonly length: number;
  value(index: number): Promise<unknown>;
  /** From row `from` to the end, reading ahead where that is cheaper. */
  iterate(from: number): AsyncIterable<unknown>;
  place(index: number): Place;
  close(): Promise<void>;
}
