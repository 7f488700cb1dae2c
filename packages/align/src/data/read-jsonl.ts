import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { reasonOf } from '@keel/model';
import { JsonNumberError, parseExactJson } from '@keel/model/exact-json';
import { DataError, type Place, shorten } from './data-error.ts';
import { IndexedTextFile } from './indexed-text-file.ts';
import type { IndexContext, RowFile } from './row-file.ts';
import { RowIndex } from './row-index.ts';

const chunkBytes = 1 << 20;
const newline = 0x0a;

/**
 * Indexes a JSONL file in one pass: checks every line and records its place, without keeping any
 * row. Blank lines are skipped but counted. A byte order mark, CRLF and a last line without a
 * newline are accepted.
 */
export const readJsonl = async (handle: FileHandle, context: IndexContext): Promise<RowFile> => {
  const { size } = await handle.stat();
  const file = context.name;
  const index = new RowIndex();

  const take = (bytes: Buffer, offset: number, line: number): void => {
    const place = { file, line };
    const skipped = line === 1 ? byteOrderMark(bytes, place) : 0;
    const content = bytes.subarray(skipped);
    if (isBlank(content)) return;
    let value: unknown;
    try {
      value = parseLine(content, place);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      context.reject(error);
      return;
    }
    if (context.accept(value, place)) index.push(offset + skipped, content.length, line);
  };

  const buffer = Buffer.allocUnsafe(chunkBytes);
  let pieces: Buffer[] = [];
  let pending = 0;
  let lineStart = 0;
  let line = 1;
  const finishLine = (tail: Buffer): void => {
    const length = pending + tail.length;
    if (length > context.maxRowBytes) {
      context.reject(tooLong({ file, line }, context.maxRowBytes));
    } else {
      take(pieces.length === 0 ? tail : Buffer.concat([...pieces, tail]), lineStart, line);
    }
    pieces = [];
    pending = 0;
  };

  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    let begin = 0;
    for (;;) {
      const end = chunk.indexOf(newline, begin);
      if (end === -1) break;
      finishLine(chunk.subarray(begin, end));
      begin = end + 1;
      lineStart = position + begin;
      line++;
    }
    if (begin < bytesRead) {
      pending += bytesRead - begin;
      // A line beyond the limit is counted but not kept.
      if (pending <= context.maxRowBytes) pieces.push(Buffer.from(chunk.subarray(begin)));
      else pieces = [];
    }
    position += bytesRead;
    context.progress(position, size, index.length);
  }
  if (pending > 0) finishLine(Buffer.alloc(0));
  return new IndexedTextFile(file, handle, index, parseLine);
};

const parseLine = (bytes: Buffer, place: Place): unknown => {
  const text = decodeUtf8(bytes, place);
  try {
    return parseExactJson(text);
  } catch (error) {
    throw jsonError(error as Error, text, place);
  }
};

/**
 * @throws DataError if the bytes are not UTF-8, which Node would silently replace with U+FFFD
 */
export const decodeUtf8 = (bytes: Buffer, place: Place): string => {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let good = 0;
  for (let step = 2 ** Math.floor(Math.log2(bytes.length)); step >= 1; step /= 2) {
    if (good + step <= bytes.length && isUtf8Beginning(bytes.subarray(0, good + step)))
      good += step;
  }
  // The fault is at the start of the incomplete character.
  while (good > 0 && !isUtf8(bytes.subarray(0, good))) good--;
  throw new DataError({
    ...place,
    expected: 'UTF-8 text',
    found: `the byte 0x${bytes[good]?.toString(16).padStart(2, '0')} at byte ${good + 1} of the ${place.line === undefined ? 'file' : 'line'}`,
    advice: 'Convert the file to UTF-8, for example with iconv -f latin1 -t utf-8',
  });
};

// A character cut off at the end is no fault of a prefix.
const isUtf8Beginning = (bytes: Buffer): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
};

/** An error of {@link parseExactJson} as a DataError that names its usual cause. */
export const jsonError = (error: Error, text: string, place: Place): DataError => {
  if (error instanceof JsonNumberError) {
    const { key, source } = error;
    const details = {
      ...place,
      ...(!/^\d*$/.test(key) && { field: key }),
      expected: 'a number within the range of a double',
      found: shorten(source),
      advice: 'Write it as a string, or remove it',
    };
    return new DataError(details, { cause: error });
  }
  let advice: string | undefined;
  if (/\b(NaN|-?Infinity)\b/.test(text) && /Unexpected token|No number/.test(error.message)) {
    advice = 'JSON has no NaN or Infinity: omit the field if there is no number';
  } else if (/Unexpected end|Unterminated/.test(error.message)) {
    advice =
      'The text ends in the middle of a value: the file may be cut off, or hold JSON over several lines (then name it .json)';
  } else if (/^\s*\[\s*$|^\s*\{\s*$/.test(text)) {
    advice = 'This looks like JSON over several lines: name the file .json';
  } else if (/^\s*\{\s*'/.test(text)) {
    advice = "This looks like Python's repr: write rows with json.dumps";
  }
  // The engine's message quotes the text at length; its first part states the problem.
  const reason = reasonOf(error).replace(/,? ?(\.\.\.)?"[\s\S]*" is not valid JSON$/, '');
  return new DataError(
    { ...place, expected: 'a JSON object', found: `${reason} in ${shorten(text)}`, advice },
    { cause: error },
  );
};

/** Length of a UTF-8 byte order mark in bytes (3 or 0). @throws DataError on UTF-16 */
export const byteOrderMark = (bytes: Buffer, place: Place): number => {
  const [first, second, third] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new DataError({
      file: place.file,
      expected: 'UTF-8 text',
      found: 'UTF-16 text',
      advice: 'Convert it, for example with iconv -f utf-16 -t utf-8',
    });
  }
  return first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0;
};

const isBlank = (bytes: Buffer): boolean => {
  for (const byte of bytes) {
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
};

const tooLong = (place: Place, limit: number): DataError =>
  new DataError({
    ...place,
    expected: `a line of at most ${limit} bytes`,
    found: 'a longer line',
    advice: 'If it is a JSON list of all rows on one line, name the file .json',
  });
