import type { FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { reasonOf } from '@keel/model';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { DataError, type Place } from './data-error.ts';
import { parsers, rowValues, storedSchema } from './parquet-values.ts';
import type { IndexContext, RowFile } from './row-file.ts';

/** Decoded row groups are cached up to this many uncompressed bytes. */
const defaultCacheBytes = 256 * 2 ** 20;

// Node's zlib decompresses these; hyparquet itself decompresses snappy.
const compressors: Compressors = {
  GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) =>
    zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ...(typeof zlib.zstdDecompressSync === 'function' && {
    ZSTD: (input: Uint8Array, length: number) =>
      zlib.zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  }),
};

interface Group {
  rowStart: number;
  rowCount: number;
  bytes: number;
}

/** Reads a Parquet file, one row group at a time. Lists of structs become messages. */
export const readParquet = async (
  handle: FileHandle,
  context: IndexContext,
  cacheBytes: number = defaultCacheBytes,
): Promise<RowFile> => {
  const file = context.name;
  const { size } = await handle.stat();
  const source = bufferOf(handle, size, file);
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(source);
  } catch (error) {
    throw unreadable(file, error);
  }
  let valuesOf: ReturnType<typeof rowValues>;
  try {
    checkColumns(metadata, file);
    checkCodecs(metadata, file);
    checkSizes(metadata, file, size);
    valuesOf = rowValues(metadata);
  } catch (error) {
    throw unreadable(file, error);
  }
  const stored = storedSchema(metadata);
  let rowStart = 0;
  const groups: Group[] = metadata.row_groups.map((group) => {
    const rowCount = Number(group.num_rows);
    rowStart += rowCount;
    return { rowStart: rowStart - rowCount, rowCount, bytes: Number(group.total_byte_size) };
  });

  const readGroup = async (group: Group): Promise<unknown[]> => {
    try {
      const { rowStart, rowCount } = group;
      const options = { file: source, metadata: stored, rowStart, rowEnd: rowStart + rowCount };
      const rows = await parquetReadObjects({
        ...options,
        compressors,
        parsers,
      });
      if (rows.length !== rowCount) throw new Error(`${rows.length} rows instead of ${rowCount}`);
      return rows.map(valuesOf);
    } catch (error) {
      throw unreadable(file, error, group);
    }
  };

  // Positions of the good rows in the file.
  const positions: number[] = [];
  for (const group of groups) {
    for (const [offset, value] of (await readGroup(group)).entries()) {
      const position = group.rowStart + offset;
      if (context.accept(value, { file, row: position + 1 })) positions.push(position);
    }
    const share = (group.rowStart + group.rowCount) / Math.max(1, rowStart);
    context.progress(Math.round(size * share), size, positions.length);
  }

  const cache = new Map<Group, Promise<unknown[]>>();
  let cachedBytes = 0;
  const cached = (group: Group): Promise<unknown[]> => {
    let rows = cache.get(group);
    if (rows === undefined) {
      rows = readGroup(group);
      cachedBytes += group.bytes;
    }
    // The map is in order of last use, so its first entry is the one to evict.
    cache.delete(group);
    cache.set(group, rows);
    for (const oldest of cache.keys()) {
      if (cachedBytes <= cacheBytes || oldest === group) break;
      cache.delete(oldest);
      cachedBytes -= oldest.bytes;
    }
    return rows;
  };
  const value = async (index: number): Promise<unknown> => {
    const position = positions[index]!;
    const group = groupAt(groups, position);
    return (await cached(group))[position - group.rowStart];
  };
  return {
    length: positions.length,
    value,
    async *iterate(from) {
      for (let index = from; index < positions.length; index++) yield await value(index);
    },
    place: (index): Place => ({ file, row: positions[index]! + 1 }),
    close: async () => {
      cache.clear();
      await handle.close();
    },
  };
};

const groupAt = (groups: Group[], position: number): Group => {
  let low = 0;
  let high = groups.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (groups[middle]!.rowStart <= position) low = middle;
    else high = middle - 1;
  }
  return groups[low]!;
};

const bufferOf = (handle: FileHandle, byteLength: number, file: string): AsyncBuffer => ({
  byteLength,
  async slice(start, end = byteLength) {
    const bytes = new Uint8Array(Math.max(0, end - start));
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done;
      const { bytesRead } = await handle.read(bytes, done, left, start + done);
      if (bytesRead === 0) throw new DataError({ file, found: 'the file ends too early' });
      done += bytesRead;
    }
    return bytes.buffer;
  },
});

const leavesOf = ({ children, path }: SchemaTree): string[] =>
  children.length === 0 ? [path.join('.')] : children.flatMap(leavesOf);

/**
 * Checks that every row group has each column of the schema exactly once. hyparquet starts reading
 * all columns of a group but awaits only those of the schema, so an error in another, damaged
 * column would be an unhandled rejection.
 */
const checkColumns = (metadata: FileMetaData, file: string): void => {
  const expected = parquetSchema(metadata).children.flatMap(leavesOf);
  for (const [index, { columns }] of metadata.row_groups.entries()) {
    const found = columns.map((column) => column.meta_data?.path_in_schema.join('.') ?? '');
    if (found.toSorted().join('\n') === expected.toSorted().join('\n')) continue;
    const other = found.find((name, at) => !expected.includes(name) || found.indexOf(name) !== at);
    throw new DataError({
      file,
      expected: `the columns ${expected.join(', ')} in row group ${index + 1}, each once`,
      found: other === undefined ? `${found.length} of them` : `"${other}"`,
      advice: damaged,
    });
  }
};

/** Rows that a group may have without any byte in the file: all values are equal, or null. */
const freeRows = 2 ** 22;

/** Checks the row counts that the file states, since memory is allocated by them. */
const checkSizes = (metadata: FileMetaData, file: string, fileSize: number): void => {
  for (const [index, group] of metadata.row_groups.entries()) {
    const rows = Number(group.num_rows);
    if (rows >= 0 && rows <= freeRows + 8 * fileSize) continue;
    throw new DataError({
      file,
      found: `${rows} rows in row group ${index + 1}, in a file of ${fileSize} bytes`,
      advice: damaged,
    });
  }
};

const checkCodecs = (metadata: FileMetaData, file: string): void => {
  for (const group of metadata.row_groups) {
    for (const { meta_data: column } of group.columns) {
      const codec = column?.codec;
      if (codec === undefined || codec === 'UNCOMPRESSED' || codec === 'SNAPPY') continue;
      if (compressors[codec]) continue;
      throw new DataError({
        file,
        expected: `columns that are uncompressed, or compressed with snappy, ${Object.keys(compressors).join(', ').toLowerCase()}`,
        found: codec,
        advice: 'Write the file again with compression="snappy"',
      });
    }
  }
};

const damaged = 'The copy or download may be incomplete: fetch the file again';

const unreadable = (file: string, error: unknown, group?: Group): DataError => {
  if (error instanceof DataError) return error;
  // hyparquet prints values that it did not find as "undefined" or "NaN" in its messages.
  const message = reasonOf(error);
  const reason = /\b(undefined|NaN)\b/.test(message) ? 'its contents are damaged' : message;
  const rows = group && `rows ${group.rowStart + 1} to ${group.rowStart + group.rowCount}: `;
  return new DataError(
    {
      file,
      found: `${rows ?? ''}not a readable Parquet file: ${reason}`,
      advice: damaged,
    },
    { cause: error },
  );
};
