import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FileError, fileError } from '@keel/model';
import { DataError } from './data-error.ts';
import { formatOf } from './file-formats.ts';
import { readCsv } from './read-csv.ts';
import { readJson } from './read-json.ts';
import { readJsonl } from './read-jsonl.ts';
import { readParquet } from './read-parquet.ts';
import type { IndexContext, RowFile } from './row-file.ts';

/** Opens and indexes one file in the format that its name ends with. */
export const openFile = async (path: string, context: IndexContext): Promise<RowFile> => {
  const { format, gzip } = formatOf(path)!;
  const handle = gzip ? await decompressed(path) : await opened(path);
  try {
    if ((await handle.stat()).size === 0) {
      throw new DataError({ file: context.name, found: 'the file is empty (0 bytes)' });
    }
    switch (format) {
      case 'jsonl':
        return await readJsonl(handle, context);
      case 'json':
        return await readJson(handle, context);
      case 'parquet':
        return await readParquet(handle, context);
      case 'csv':
        return await readCsv(handle, context, ',');
      case 'tsv':
        return await readCsv(handle, context, '\t');
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
};

const opened = async (path: string): Promise<FileHandle> => {
  try {
    return await open(path);
  } catch (error) {
    throw fileError(error, { path, use: 'read' });
  }
};

const temporaryFolder = async (): Promise<string> => {
  try {
    return await mkdtemp(join(tmpdir(), 'keel-rows-'));
  } catch (error) {
    throw fileError(error, { path: tmpdir(), use: 'written' });
  }
};

// gzip cannot be sought in, so the text goes to a temporary file. Its name is removed as soon as it
// is open, so that the file disappears with the process however that ends.
const decompressed = async (path: string): Promise<FileHandle> => {
  const folder = await temporaryFolder();
  try {
    const plain = join(folder, 'rows');
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(plain));
    return await open(plain);
  } catch (error) {
    // The system's error names the source; the name of the copy would mean nothing to the user.
    const known = fileError(error);
    if (known instanceof FileError) {
      const { path: named = path } = error as NodeJS.ErrnoException;
      throw named === path ? known : fileError(error, { path: tmpdir(), use: 'written' });
    }
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== undefined && syscall === 'write') {
      throw fileError(error, { path: tmpdir(), use: 'written' });
    }
    throw new DataError(
      {
        file: path,
        found: `invalid gzip data: ${(error as Error).message}`,
        advice: 'The copy or download may be incomplete: fetch the file again',
      },
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
