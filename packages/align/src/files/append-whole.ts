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
 * Appends text to a file, or nothing at all: if the disk fills up on the way, the part that was
 * written is removed.
 * @throws FileError naming the file if the file system refuses
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

/** {@link appendWhole} for a descriptor that is open for appending. @param path for the error */
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

/** Writes a whole piece: one system call may write only a part of it. */
export function writeFully(descriptor: number, piece: string | Uint8Array): void {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

/** Errors are ignored, because resuming the run also removes an incomplete line. */
function undo(cut: () => void): void {
  try {
    cut();
  } catch {}
}
