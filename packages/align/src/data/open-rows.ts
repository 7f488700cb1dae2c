import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { inPlainWords } from '@keel/model';
import type { RowReading } from '../config/row-options.ts';
import { DataError, type DataErrorDetails, type Place } from './data-error.ts';
import type { HubOptions } from './hub.ts';
import { openFile } from './open-file.ts';
import { parseRow } from './parse-row.ts';
import { isProgramRows, openProgramRows, type RowSpec } from './program-rows.ts';
import { resolveFiles } from './resolve-files.ts';
import type { IndexContext, IndexProgress, RowFile } from './row-file.ts';
import { RowReader } from './row-reader.ts';
import { type Row, type RowKind, type RowOf, rowKinds } from './rows.ts';

/** A fault that makes a valid row unusable for the purpose at hand, or null. */
export type RefuseRow<R> = (row: R) => Omit<DataErrorDetails, keyof Place> | null;

export interface OpenRowsOptions<K extends RowKind> extends RowReading {
  kind: K;
  /**
   * `fail` throws at the first bad row; `skip` skips, counts and lists bad rows (default: `fail`).
   */
  onBadRow?: 'fail' | 'skip';
  /** Finds faults in valid rows, which then count as bad. */
  refuse?: RefuseRow<RowOf[K]> | undefined;
  /**
   * Called for each bad row that `skip` skips, with its value as in the file: undefined if it
   * cannot be read.
   */
  onSkipped?: (fault: DataError, value: unknown) => void;
  /** Called after each part of a file is indexed. */
  onProgress?: (progress: IndexProgress) => void;
  /** Rows of more bytes than this are bad (default: 64 MiB). */
  maxRowBytes?: number;
  hub?: HubOptions;
}

export interface BadRow {
  file: string;
  /** Counted from 1; absent for formats without lines. */
  line?: number;
  /** Counted from 1; absent for formats with lines. */
  row?: number;
  message: string;
}

/** The name of a file in messages, and the SHA-256 of its bytes in hexadecimal. */
export interface FileHash {
  name: string;
  sha256: string;
}

/** Maximum number of bad rows to list; all are counted. */
const listedBadRows = 1000;

/**
 * The good rows of one or more files, numbered from 0. They stay on disk if their format allows it.
 */
export class RowSource<K extends RowKind> {
  readonly kind: K;
  /** The names of the files in messages. */
  readonly files: readonly string[];
  /** Number of good rows. */
  readonly length: number;
  /** The first 1000 rows that `skip` skipped. */
  readonly badRows: readonly BadRow[];
  readonly badRowCount: number;
  /** Number of good rows whose prompt and answers are plain text, which no template renders. */
  readonly plainCount: number;
  readonly #parts: readonly Part[];
  readonly #reader: RowReader;
  #hashes: Promise<FileHash[]> | undefined;

  /** Use {@link openRows}. */
  constructor(
    kind: K,
    parts: readonly Part[],
    { badRows, badRowCount, plainCount, reader }: Indexed,
  ) {
    this.kind = kind;
    this.files = parts.map((part) => part.path);
    this.length = parts.reduce((sum, part) => sum + part.rows.length, 0);
    this.badRows = badRows;
    this.badRowCount = badRowCount;
    this.plainCount = plainCount;
    this.#parts = parts;
    this.#reader = reader;
  }

  /** The file and line (or row number) of a row. */
  place(index: number): Place {
    const [part, own] = this.#find(index);
    return part.rows.place(own);
  }

  async read(index: number): Promise<RowOf[K]> {
    const [part, own] = this.#find(index);
    const place = part.rows.place(own);
    return parseRow(this.kind, this.#reader.read(await part.rows.value(own), place), place);
  }

  /** Rows in the order of the indices, but read in the order of the files, which is cheaper. */
  async readMany(indices: ArrayLike<number>): Promise<RowOf[K][]> {
    const rows = new Array<RowOf[K]>(indices.length);
    const slots = Array.from(indices, (_, slot) => slot);
    slots.sort((a, b) => indices[a]! - indices[b]!);
    for (const slot of slots) rows[slot] = await this.read(indices[slot]!);
    return rows;
  }

  /** All rows from index `from`, in order, with read-ahead. */
  async *iterate(from = 0): AsyncIterable<RowOf[K]> {
    let before = 0;
    for (const { rows } of this.#parts) {
      let own = Math.max(0, from - before);
      before += rows.length;
      if (own >= rows.length) continue;
      for await (const value of rows.iterate(own)) {
        const place = rows.place(own);
        yield parseRow(this.kind, this.#reader.read(value, place), place);
        own++;
      }
    }
  }

  /**
   * Identifies the data whatever the names of the files: the SHA-256 of a single file's bytes (as
   * `sha256sum` prints it), or of the list of several files' hashes. Options that change how rows
   * are read change it.
   * @throws DataError if a file changed after it was indexed
   */
  async fingerprint(): Promise<string> {
    const hashes = (await this.fileHashes()).map(({ sha256 }) => sha256);
    const { identity } = this.#reader;
    if (identity !== null) hashes.push(identity);
    if (hashes.length === 1) return hashes[0]!;
    return createHash('sha256').update(hashes.join('\n')).digest('hex');
  }

  /**
   * SHA-256 of each file's bytes, in the order of the rows.
   * @throws DataError if a file changed after it was indexed
   */
  fileHashes(): Promise<FileHash[]> {
    this.#hashes ??= this.#hashFiles();
    return this.#hashes;
  }

  async close(): Promise<void> {
    for (const { rows } of this.#parts) await rows.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #hashFiles(): Promise<FileHash[]> {
    const hashes: FileHash[] = [];
    for (const { path, hash } of this.#parts) hashes.push({ name: path, sha256: await hash() });
    return hashes;
  }

  #find(index: number): [Part, number] {
    let own = index;
    if (Number.isInteger(index) && index >= 0) {
      for (const part of this.#parts) {
        if (own < part.rows.length) return [part, own];
        own -= part.rows.length;
      }
    }
    throw new RangeError(`row ${index} is out of range: expected 0 to ${this.length - 1}`);
  }
}

/** What is known of the rows after every row was read once. */
interface Indexed {
  badRows: readonly BadRow[];
  badRowCount: number;
  plainCount: number;
  reader: RowReader;
}

interface Part {
  path: string;
  rows: RowFile;
  /** SHA-256 of its bytes. @throws DataError if the file changed after it was indexed */
  hash(): Promise<string>;
}

/** @param version size and modification time when it was indexed */
async function hashFile(path: string, version: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  if ((await versionOf(path)) === version) return hash.digest('hex');
  throw new DataError({
    file: path,
    found: 'the file changed after it was indexed',
    advice: 'Run the command again, and do not change the file while it is in use',
  });
}

const versionOf = async (path: string): Promise<string> => {
  const { size, mtimeMs } = await stat(path);
  return `${size} ${mtimeMs}`;
};

/**
 * Opens rows of one kind from files, folders, globs and `hub:` specs, or of a program. Checks every
 * row once now, without keeping it: JSONL, CSV and Parquet files may be larger than memory.
 * @throws DataError at the first bad row (unless bad rows are skipped), for an empty or unreadable
 *   file, and if there is no good row
 */
export const openRows = async <K extends RowKind>(
  spec: RowSpec,
  options: OpenRowsOptions<K>,
): Promise<RowSource<K>> => {
  const { kind, onBadRow = 'fail', onProgress, maxRowBytes = 64 * 2 ** 20 } = options;
  if (!rowKinds.includes(kind)) {
    throw new TypeError(`unknown row kind "${kind}": expected one of ${rowKinds.join(', ')}`);
  }
  const program = isProgramRows(spec) ? spec : null;
  const specs = program ? [program.name] : [spec as string | readonly string[]].flat();
  const paths = program ? [] : await resolveFiles(specs, options.hub);
  const badRows: BadRow[] = [];
  let badRowCount = 0;
  let firstBad: DataError | undefined;
  let plainCount = 0;
  const reader = new RowReader(options, kind);

  const reject = (error: DataError, value?: unknown): void => {
    if (onBadRow === 'fail') throw error;
    options.onSkipped?.(error, value);
    badRowCount++;
    firstBad ??= error;
    if (badRows.length >= listedBadRows) return;
    const bad: BadRow = { file: error.file, message: error.message };
    if (error.line !== undefined) bad.line = error.line;
    if (error.row !== undefined) bad.row = error.row;
    badRows.push(bad);
  };
  const contextFor = (name: string): IndexContext => ({
    name,
    kind,
    maxRowBytes,
    reject: (error) => reject(error),
    fieldOf: reader.fieldOf,
    accept(value, place) {
      reader.note(value);
      let plain = false;
      try {
        const fault = inPlainWords(
          (reason, cause) => new DataError({ ...place, found: reason }, { cause }),
          () => {
            const row = parseRow(kind, reader.read(value, place), place);
            plain = isPlain(row);
            return options.refuse?.(row) ?? null;
          },
        );
        if (fault !== null) throw new DataError({ ...place, ...fault });
        if (plain) plainCount++;
        return true;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        if (onBadRow === 'fail' && isMissing(error)) reader.checkSeen(place.file);
        reject(error, value);
        return false;
      }
    },
    progress: (bytesDone, bytesTotal, rows) =>
      onProgress?.({ file: name, bytesDone, bytesTotal, rows }),
  });

  const parts: Part[] = [];
  try {
    for (const path of paths) {
      const version = await versionOf(path);
      const hash = (): Promise<string> => hashFile(path, version);
      parts.push({ path, hash, rows: await openFile(path, contextFor(path)) });
    }
    if (program !== null) {
      const { name: path, sha256 } = program;
      parts.push({
        path,
        hash: async () => sha256,
        rows: openProgramRows(program, contextFor(path)),
      });
    }
    reader.checkSeen(specs.join(', '));
    const source = new RowSource(kind, parts, { badRows, badRowCount, plainCount, reader });
    if (source.length === 0) throw noRows(specs, firstBad, badRowCount);
    return source;
  } catch (error) {
    for (const { rows } of parts) await rows.close();
    throw error;
  }
};

/** Whether a row lacks a field, so that a column of another name may be the cause. */
const isMissing = ({ field, found }: DataError): boolean =>
  field === undefined || found === 'nothing';

/** Whether a chat could be made of a row: its prompt is text, and its answers are not steps. */
const isPlain = (row: Row): boolean =>
  'prompt' in row && typeof row.prompt === 'string' && !('labels' in row);

const noRows = (specs: string[], first: DataError | undefined, count: number): DataError =>
  new DataError(
    {
      file: specs.join(', '),
      expected: 'at least one good row',
      found: count === 0 ? 'none' : `none: all ${count} are bad`,
      advice: first && `First fault: ${first.message}`,
    },
    { cause: first },
  );
