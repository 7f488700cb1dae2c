import {
  appendFileSync,
  fstatSync,
  ftruncateSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { fileError } from '@keel/model';

/**
 * Adds text to a file's end, or nothing at all: where the disk fills up in the middle, the part
 * that was written is cut off.
 * @throws FileError naming the file when the file system refuses
 */
export function appendWhole(path: string, text: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    appendFileSync(path, text);
  } catch (error) {
    undo(() => truncateSync(path, size));
    const bytes = Buffer.byteLength(text);
    throw fileError(error, { path, use: 'written', bytes });
  }
}

/** As {@link appendWhole}, to a descriptor that was opened to append. @param path for the error */
export function appendToDescriptor(
  descriptor: number,
  path: string,
  piece: string | Uint8Array,
): void {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  let size: number | null = null;
  try {
    size = fstatSync(descriptor).size;
    writeFully(descriptor, bytes);
  } catch (error) {
    if (size !== null) undo(() => ftruncateSync(descriptor, size!));
    throw fileError(error, { path, use: 'written', bytes: bytes.length });
  }
}

/** Writes all of a piece: one call of the system may write only a part of it. */
export function writeFully(descriptor: number, piece: string | Uint8Array): void {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

/** What is left of a line is cut off when the run resumes, too. */
function undo(cut: () => void): void {
  try {
    cut();
  } catch {}
}
