import { inPlainWords } from '@keel/model';
import { isPlainObject } from '@keel/model/exact-json';
import type { RowReading } from '../config/row-options.ts';
import { DataError, describeValue, type Place } from './data-error.ts';
import { openFile } from './open-file.ts';
import { resolveFiles } from './resolve-files.ts';
import type { RowFile } from './row-file.ts';
import { RowReader } from './row-reader.ts';

/** A row as a file has it, whatever its form. */
export interface PlacedValue {
  value: unknown;
  place: Place;
}

export interface OpenValuesOptions extends RowReading {
  /** Receives a row that cannot be read, such as a line that is not JSON. May throw it. */
  reject(error: DataError): void;
  /** The column `label` has votes (1, 2, or 0 for a tie), no truth values: CSV's stay text. */
  votes?: boolean;
}

const maxRowBytes = 64 * 2 ** 20;

/** The rows of files, as the files have them. */
export class ValueSource implements AsyncDisposable {
  readonly files: readonly string[];
  /** Number of rows that can be read. */
  readonly length: number;
  readonly #parts: readonly RowFile[];
  readonly #reader: RowReader;

  private constructor(files: readonly string[], parts: readonly RowFile[], reader: RowReader) {
    this.files = files;
    this.length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#parts = parts;
    this.#reader = reader;
  }

  /**
   * Opens files, folders, globs and `hub:` specs, and finds their rows.
   * @throws DataError for an empty or unreadable file, and what `reject` throws
   */
  static async open(
    specs: readonly string[],
    { reject, votes = false, ...reading }: OpenValuesOptions,
  ): Promise<ValueSource> {
    const files = await resolveFiles([...specs]);
    const reader = new RowReader(reading);
    const parts: RowFile[] = [];
    try {
      for (const name of files) {
        const accept = (value: unknown): boolean => {
          reader.note(value);
          return true;
        };
        const context = { name, kind: null, fieldOf: reader.fieldOf, maxRowBytes, votes };
        parts.push(await openFile(name, { ...context, accept, reject, progress: () => {} }));
      }
      reader.checkSeen(specs.join(', '));
      return new ValueSource(files, parts, reader);
    } catch (error) {
      for (const part of parts) await part.close();
      throw error;
    }
  }

  /** All rows in order, unchanged: see {@link read}. */
  async *iterate(): AsyncIterable<PlacedValue> {
    for (const part of this.#parts) {
      let row = 0;
      for await (const value of part.iterate(0)) yield { value, place: part.place(row++) };
    }
  }

  /** The row with its columns renamed and wrapped. @throws DataError as {@link RowReader.read} */
  read({ value, place }: PlacedValue): unknown {
    return this.#reader.read(value, place);
  }

  /** {@link read}, for rows that must be objects. @throws DataError, also for other values */
  fields(placed: PlacedValue): Record<string, unknown> {
    const { place } = placed;
    return inPlainWords(
      (reason, cause) => new DataError({ ...place, found: reason }, { cause }),
      () => {
        const row = this.read(placed);
        if (isPlainObject(row)) return row;
        throw new DataError({ ...place, expected: 'an object', found: describeValue(row) });
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}
