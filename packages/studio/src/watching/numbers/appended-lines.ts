// Reads the lines that were added to a file since the last time, while another process writes it.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { maskedCrc32c } from '@keel/align/runs';
import { whyUnreadable } from '../folders/read-files.ts';

/** How far a file was read: the bytes, the lines, and a checksum of the last bytes before. */
interface Position {
  offset: number;
  line: number;
  check: number;
}

/** Bytes before a position that tell whether the file is still the same. */
const CHECKED = 4096;
/** Bytes that are read at once. */
const PIECE = 1 << 20;

/** Whole lines of a file. */
export interface AppendedLines {
  /** With their place: the line's number from 1, and where it starts and ends in bytes. */
  lines: { text: string; line: number; start: number; end: number }[];
  /** For the next call. */
  cursor: string;
  /** The file is another one than before, for example since a run was resumed: forget its lines. */
  restarted: boolean;
  /** There are more lines than one call reads. */
  more: boolean;
  /** Why the file cannot be read; null: it can, or there is none. */
  failed: string | null;
}

/**
 * Lines that were added after a cursor. A line that is not finished yet is left for the next call.
 * @param cursor of the last call; null: from the start
 * @param most bytes of lines that one call reads (default: 32 MB)
 */
export function appendedLines(path: string, cursor: string | null, most = 32e6): AppendedLines {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return nothing(cursor, error);
  }
  try {
    return linesAfter(descriptor, parsedCursor(cursor), most);
  } catch (error) {
    return nothing(cursor, error);
  } finally {
    closeSync(descriptor);
  }
}

const nothing = (cursor: string | null, error: unknown): AppendedLines => ({
  ...{ lines: [], cursor: '0:0:0', more: false, restarted: parsedCursor(cursor).offset > 0 },
  failed: whyUnreadable(error),
});

function linesAfter(descriptor: number, before: Position, most: number): AppendedLines {
  const { size } = fstatSync(descriptor);
  const same = before.offset <= size && checksumBefore(descriptor, before.offset) === before.check;
  const restarted = before.offset > 0 && !same;
  let { offset, line } = restarted ? { offset: 0, line: 0 } : before;
  const lines: AppendedLines['lines'] = [];
  const from = offset;
  let rest: Buffer = Buffer.alloc(0);
  let at = offset;
  while (at < size && offset - from < most) {
    const piece = bytesAt(descriptor, at, Math.min(PIECE, size - at));
    if (piece.length === 0) break;
    at += piece.length;
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      line += 1;
      const text = bytes.toString('utf8', start, end);
      lines.push({ text, line, start: offset, end: offset + end - start });
      offset += end + 1 - start;
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  const check = checksumBefore(descriptor, offset);
  return { lines, cursor: `${offset}:${line}:${check}`, restarted, more: at < size, failed: null };
}

function parsedCursor(cursor: string | null): Position {
  const numbers = /^(\d{1,15}):(\d{1,15}):(\d{1,10})$/.exec(cursor ?? '');
  if (numbers === null) return { offset: 0, line: 0, check: 0 };
  return { offset: Number(numbers[1]), line: Number(numbers[2]), check: Number(numbers[3]) };
}

function checksumBefore(descriptor: number, offset: number): number {
  if (offset === 0) return 0;
  const start = Math.max(0, offset - CHECKED);
  return maskedCrc32c(bytesAt(descriptor, start, offset - start));
}

/** Bytes of a file from a place on; fewer at its end. */
export function bytesAt(descriptor: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
