import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setField } from '@keel/model/exact-json';
import { CsvError, type Options, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import { cellValue, withoutBlankPrompt } from './csv-cells.ts';
import { DataError, type Place, shorten } from './data-error.ts';
import { IndexedTextFile } from './indexed-text-file.ts';
import { byteOrderMark, decodeUtf8 } from './read-jsonl.ts';
import type { IndexContext, RowFile } from './row-file.ts';
import { renameAdvice } from './row-forms.ts';
import { RowIndex } from './row-index.ts';
import { type RowKind, rowName, rowSchemas } from './rows.ts';

const chunkBytes = 1 << 18;

/**
 * Indexes a CSV (or, with a tab as the delimiter, TSV) file in one pass without keeping any row.
 * The first record names the fields.
 */
export const readCsv = async (
  handle: FileHandle,
  context: IndexContext,
  delimiter: ',' | '\t',
): Promise<RowFile> => {
  const { size } = await handle.stat();
  const file = context.name;
  const index = new RowIndex();
  // Lines are counted here because the parser counts a CRLF inside quotes twice.
  const window = new ByteWindow();
  let mark = 0;
  const source = async function* (): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      const chunk = buffer.subarray(0, bytesRead);
      if (position === 0) mark = byteOrderMark(chunk, { file });
      window.push(chunk);
      position += bytesRead;
      context.progress(position, size, index.length);
      yield chunk;
    }
  };
  const options: Options = {
    delimiter,
    record_delimiter: ['\r\n', '\n'],
    skip_empty_lines: true,
    relax_column_count: true,
  };
  let line = 1;
  // The place is recorded while the parser is at the record: after an error it returns no more
  // records.
  const located = (record: string[], bytesDone: number): LocatedRecord => {
    const start = window.start;
    const raw = window.takeUntil(bytesDone);
    const blank = blankPrefix(raw);
    const place = { file, line: line + countNewlines(raw.subarray(0, blank)) };
    line += countNewlines(raw);
    return { record, bytes: raw.subarray(blank), offset: start + blank, place };
  };
  const parser = parse({
    ...options,
    bom: true,
    max_record_size: context.maxRowBytes,
    on_record: (record, info) => located(record as string[], info.bytes) as unknown as string[],
  });
  const input = Readable.from(source());
  input.once('error', (error) => parser.destroy(error));
  input.pipe(parser);

  let header: string[] | undefined;
  try {
    for await (const { record, bytes, offset, place } of parser as AsyncIterable<LocatedRecord>) {
      if (header === undefined) {
        header = checkHeader(bytes.subarray(mark), record, place, context);
        continue;
      }
      let value: unknown;
      try {
        decodeUtf8(bytes, place);
        value = rowFrom(header, record, place, context);
      } catch (error) {
        context.reject(error as DataError);
        continue;
      }
      if (context.accept(value, place)) index.push(offset, bytes.length, place.line);
    }
  } catch (error) {
    throw error instanceof CsvError ? csvError(error, { file, line }, context) : error;
  } finally {
    input.destroy();
    parser.destroy();
  }
  const fields = header ?? [];
  return new IndexedTextFile(file, handle, index, (bytes, place) =>
    rowFrom(fields, parseSync(bytes, options)[0] as string[], place, context),
  );
};

interface LocatedRecord {
  record: string[];
  bytes: Buffer;
  offset: number;
  place: Place & { line: number };
}

/** The bytes passed to the parser and not yet assigned to a record. */
class ByteWindow {
  start = 0;
  #chunks: Buffer[] = [];

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  takeUntil(end: number): Buffer {
    const pieces: Buffer[] = [];
    for (let wanted = end - this.start; wanted > 0; ) {
      const chunk = this.#chunks[0]!;
      const taken = chunk.subarray(0, wanted);
      pieces.push(taken);
      wanted -= taken.length;
      if (taken.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(taken.length);
    }
    this.start = end;
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}

const sameName = (name: string): string => name;

const checkHeader = (
  raw: Buffer,
  header: string[],
  place: Place,
  { kind, fieldOf = sameName }: IndexContext,
): string[] => {
  decodeUtf8(raw, place);
  const known = kind === null ? null : Object.keys(rowSchemas[kind].shape);
  const duplicate = header.find((name, column) => header.indexOf(name) !== column);
  const usable = known === null || header.some((name) => known.includes(fieldOf(name)));
  if (duplicate !== undefined || !usable) {
    const names = known === null ? '' : ` of ${rowName(kind!)} (${known.join(', ')})`;
    throw new DataError({
      ...place,
      expected: `a header line that names the fields${names}`,
      found: duplicate === undefined ? shorten(header.join(', ')) : `the name "${duplicate}" twice`,
      advice:
        (duplicate === undefined && kind !== null ? renamesOf(header, kind) : undefined) ??
        'The first line of a CSV file must name its columns, each once',
    });
  }
  return header;
};

/** Which columns to rename; a cell can hold any value. */
const renamesOf = (header: string[], kind: RowKind): string | undefined =>
  renameAdvice(kind, Object.fromEntries(header.map((name) => [name, 'text'])));

const rowFrom = (
  header: string[],
  record: string[],
  place: Place,
  { fieldOf = sameName, votes = false }: IndexContext,
): Record<string, unknown> => {
  if (record.length !== header.length) {
    throw new DataError({
      ...place,
      expected: `${header.length} cells, as in the header`,
      found: `${record.length}`,
      advice: 'Put text that contains a comma, a quote or a line break in double quotes',
    });
  }
  const row: Record<string, unknown> = {};
  for (const [column, name] of header.entries()) {
    const field = fieldOf(name);
    const text = record[column]!;
    setField(row, name, votes && field === 'label' ? text : cellValue(field, text));
  }
  return withoutBlankPrompt(row, fieldOf);
};

const csvError = (error: CsvError, place: Place, context: IndexContext): DataError => {
  const notClosed = error.code === 'CSV_QUOTE_NOT_CLOSED';
  const tooLong = error.code === 'CSV_MAX_RECORD_SIZE';
  const open = 'Close the quote that opens on this line or below';
  return new DataError(
    {
      file: place.file,
      line: place.line,
      found: tooLong
        ? `the record that starts here is longer than ${context.maxRowBytes} bytes`
        : error.message,
      advice: notClosed || tooLong ? open : 'Write a double quote inside a quoted cell twice ("")',
    },
    { cause: error },
  );
};

const blankPrefix = (raw: Buffer): number => {
  let end = 0;
  while (raw[end] === 0x0a || raw[end] === 0x0d) end++;
  return end;
};

const countNewlines = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
};
