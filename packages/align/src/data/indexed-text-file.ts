import type { FileHandle } from 'node:fs/promises';
import { DataError, type Place } from './data-error.ts';
import type { RowFile } from './row-file.ts';
import type { RowIndex } from './row-index.ts';

const readAheadBytes = 1 << 20;

/** Rows of a text file that stay on disk; reading a row seeks to it. */
export class IndexedTextFile implements RowFile {
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #index: RowIndex;
  readonly #parse: (bytes: Buffer, place: Place) => unknown;

  /** @param parse converts the bytes of one row; throws a DataError if they are invalid */
  constructor(
    name: string,
    handle: FileHandle,
    index: RowIndex,
    parse: (bytes: Buffer, place: Place) => unknown,
  ) {
    this.#name = name;
    this.#handle = handle;
    this.#index = index;
    this.#parse = parse;
  }

  get length(): number {
    return this.#index.length;
  }

  place(row: number): Place {
    return { file: this.#name, line: this.#index.line(row) };
  }

  async value(row: number): Promise<unknown> {
    const bytes = await this.#bytes(row, row + 1);
    return this.#row(row, bytes);
  }

  async *iterate(from: number): AsyncIterable<unknown> {
    let row = from;
    while (row < this.length) {
      const end = this.#index.spanEnd(row, readAheadBytes);
      const start = this.#index.offset(row);
      const bytes = await this.#bytes(row, end);
      for (; row < end; row++) {
        const at = this.#index.offset(row) - start;
        yield this.#row(row, bytes.subarray(at, at + this.#index.byteLength(row)));
      }
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #bytes(row: number, end: number): Promise<Buffer> {
    const start = this.#index.offset(row);
    const length = this.#index.offset(end - 1) + this.#index.byteLength(end - 1) - start;
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, start + done);
      if (bytesRead === 0) throw this.#changed(row);
      done += bytesRead;
    }
    return buffer;
  }

  #row(row: number, bytes: Buffer): unknown {
    try {
      return this.#parse(bytes, this.place(row));
    } catch (error) {
      // The row was valid when it was indexed.
      throw this.#changed(row, error);
    }
  }

  #changed(row: number, cause?: unknown): DataError {
    return new DataError(
      {
        ...this.place(row),
        found: 'the file changed after it was indexed',
        advice: 'Run the command again, and do not change the file while it is in use',
      },
      { cause },
    );
  }
}
