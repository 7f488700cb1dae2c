import type { DataError, Place } from './data-error.ts';
import { openFile } from './open-file.ts';
import { resolveFiles } from './resolve-files.ts';

export interface EachValueHooks {
  /** Receives each row in order, as the file has it. An error that it throws ends the reading. */
  each(value: unknown, place: Place): void;
  /** Receives a row that cannot be read, such as a line that is not JSON. May throw it. */
  reject(error: DataError): void;
  /** Share of the files' rows that were read, from 0 to 1. */
  progress?(share: number): void;
  /** The column `label` has votes (1, 2, or 0 for a tie), no truth values: CSV's stay text. */
  votes?: boolean;
}

const maxRowBytes = 64 * 2 ** 20;

/**
 * Reads every row of files, folders, globs and `hub:` specs once, without an index of the rows.
 * JSONL, CSV and Parquet are streamed; JSON files are held in memory as a whole.
 * @returns the files
 * @throws DataError for an empty or unreadable file, and what the hooks throw
 */
export async function eachValue(
  specs: readonly string[],
  { each, reject, progress = () => {}, votes = false }: EachValueHooks,
): Promise<string[]> {
  const files = await resolveFiles([...specs]);
  for (const [index, name] of files.entries()) {
    const accept = (value: unknown, place: Place): boolean => {
      each(value, place);
      return false;
    };
    const context = { name, kind: null, maxRowBytes, accept, reject, votes };
    const file = await openFile(name, {
      ...context,
      progress: (done, total) => progress((index + done / Math.max(1, total)) / files.length),
    });
    await file.close();
  }
  return files;
}
