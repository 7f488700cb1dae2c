import type { FileHandle } from 'node:fs/promises';
import { JsonNumberError, parseExactJson } from '@keel/model/exact-json';
import { DataError, describeValue, type Place } from './data-error.ts';
import { byteOrderMark, decodeUtf8, jsonError, readJsonl } from './read-jsonl.ts';
import type { IndexContext, RowFile } from './row-file.ts';
import { rowSchemas } from './rows.ts';

/** Largest supported JSON file: such files are held in memory as a whole. */
export const maxJsonBytes = 256 * 2 ** 20;

/**
 * Reads a JSON file that holds a list of rows, or `{"data": [rows]}`. A .json file with one object
 * per line, as in many public datasets, is read as JSONL.
 */
export const readJson = async (
  handle: FileHandle,
  context: IndexContext,
  maxBytes: number = maxJsonBytes,
): Promise<RowFile> => {
  const file = context.name;
  if (await holdsLines(handle, context)) return readJsonl(handle, context);
  const { size } = await handle.stat();
  if (size > maxBytes) {
    throw new DataError({
      file,
      expected: `a JSON file of at most ${Math.floor(maxBytes / 2 ** 20)} MiB`,
      found: `${Math.ceil(size / 2 ** 20)} MiB`,
      advice:
        'Convert it to JSONL (one object per line), which has no size limit: jq -c ".[]" rows.json > rows.jsonl',
    });
  }
  const bytes = Buffer.allocUnsafe(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await handle.read(bytes, done, size - done, done);
    if (bytesRead === 0) throw new DataError({ file, found: 'the file shrank while it was read' });
    done += bytesRead;
  }
  const text = decodeUtf8(bytes.subarray(byteOrderMark(bytes, { file })), { file });
  const rows: unknown[] = [];
  const numbers: number[] = [];
  for (const [position, value] of rowsOf(text, file).entries()) {
    const place = { file, row: position + 1 };
    if (!context.accept(value, place)) continue;
    rows.push(value);
    numbers.push(place.row);
  }
  context.progress(size, size, rows.length);
  return {
    length: rows.length,
    value: async (index) => rows[index],
    async *iterate(from) {
      for (let index = from; index < rows.length; index++) yield rows[index];
    },
    place: (index) => ({ file, row: numbers[index] }),
    close: () => handle.close(),
  };
};

const rowsOf = (text: string, file: string): unknown[] => {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch (error) {
    throw jsonError(error as Error, text, placeInText(error as Error, text, file));
  }
  if (Array.isArray(value)) return value;
  const data = (value as { data?: unknown } | null)?.data;
  if (Array.isArray(data)) return data;
  throw new DataError({
    file,
    expected: 'a list of rows, or an object with the list under "data"',
    found: describeValue(value),
  });
};

const placeInText = (error: Error, text: string, file: string): Place => {
  const position =
    error instanceof JsonNumberError
      ? text.indexOf(error.source)
      : Number(/position (\d+)/.exec(error.message)?.[1] ?? faultyPosition(text));
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
    line++;
  }
  return { file, line };
};

// The engine gives no position for an unexpected token. It is the end of the shortest prefix with
// that error, since shorter prefixes only end too early.
const faultyPosition = (text: string): number => {
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  return low - 1;
};

const hasUnexpectedToken = (text: string): boolean => {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith('Unexpected token');
  }
};

// Whether the first line is a whole object, and not one that holds the list of all rows.
const holdsLines = async (
  handle: FileHandle,
  { kind, fieldOf = (name) => name, maxRowBytes }: IndexContext,
): Promise<boolean> => {
  const window = Buffer.allocUnsafe(Math.min(maxRowBytes, 1 << 20));
  const { bytesRead } = await handle.read(window, 0, window.length, 0);
  const text = window
    .toString('utf8', 0, bytesRead)
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (!text.startsWith('{')) return false;
  const end = text.indexOf('\n');
  try {
    const first = JSON.parse(end === -1 ? text : text.slice(0, end));
    if (Array.isArray(first.data)) return false;
    const alone = end === -1 || text.slice(end).trim() === '';
    if (!alone || kind === null) return true;
    return Object.keys(first).some((name) => fieldOf(name) in rowSchemas[kind].shape);
  } catch {
    return false;
  }
};
