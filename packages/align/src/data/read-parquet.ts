import type { FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { DataError, type Place } from './data-error.ts';
import { parsers, rowValues, withStoredDecimals } from './parquet-values.ts';
import type { IndexContext, RowFile } from './row-file.ts';

/** Decoded row groups are kept up to this many uncompressed bytes. */
const defaultCacheBytes = 256 * 2 ** 20;

// Node's own zlib does these; hyparquet itself does snappy.
const compressors: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ...(typeof zlib.zstdDecompressSync === 'function' && {
    ZSTD: (input: Uint8Array) => zlib.zstdDecompressSync(input),
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
  checkCodecs(metadata, file);
  const valuesOf = rowValues(metadata);
  const stored = withStoredDecimals(metadata);
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
      throw unreadable(file, error);
    }
  };

  // Positions in the file of the good rows.
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
    // Last used goes last; the first of the map is the one to forget.
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

const checkCodecs = (metadata: FileMetaData, file: string): void => {
  for (const group of metadata.row_groups) {
    for (const { meta_data: column } of group.columns) {
      const codec = column?.codec;
      if (codec === undefined || codec === 'UNCOMPRESSED' || codec === 'SNAPPY') continue;
      if (compressors[codec]) continue;
      throw new DataError({
        file,
        expected: `columns compressed with snappy, ${Object.keys(compressors).join(', ').toLowerCase()} or not at all`,
        found: codec,
        advice: 'Write the file again with compression="snappy"',
      });
    }
  }
};

const unreadable = (file: string, error: unknown): DataError => {
  if (error instanceof DataError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new DataError(
    {
      file,
      found: `not a Parquet file that can be read: ${reason}`,
      advice: 'Was it copied or downloaded as a whole?',
    },
    { cause: error },
  );
};
