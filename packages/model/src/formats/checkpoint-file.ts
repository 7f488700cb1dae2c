import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { CheckpointError } from './checkpoint-error.ts';
import { FileError, fileError } from './file-error.ts';

// One read call reads at most 2 GiB - 1.
const largestRead = 2 ** 30;

/**
 * A regular file open for reading at given positions. Every read is checked against its size first.
 */
export class CheckpointFile {
  readonly path: string;
  readonly size: number;
  #descriptor: number | null;

  /** @throws CheckpointError if `path` is missing, not a regular file, or not readable. */
  constructor(path: string) {
    this.path = path;
    try {
      // Opening a pipe would wait for a writer, so the file type is checked first.
      if (!statSync(path).isFile()) throw new Error('it is not a regular file');
      this.#descriptor = openSync(path, 'r');
    } catch (cause) {
      const found = fileError(cause, { path });
      const reason = found instanceof FileError ? found.reason : (cause as Error).message;
      throw new CheckpointError({ file: path }, `cannot be opened: ${reason}`, { cause });
    }
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Reads `length` bytes from `position` on, into a new buffer. */
  read(position: number, length: number, tensor?: string): Uint8Array<ArrayBuffer> {
    if (this.#descriptor === null) {
      throw new CheckpointError({ file: this.path, tensor }, 'was read after it was closed');
    }
    if (position < 0 || length < 0 || position + length > this.size) {
      throw new CheckpointError(
        { file: this.path, tensor },
        `expected ${length} bytes at ${position}, but the file ends at ${this.size}: it is truncated or damaged. Download it again`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const wanted = Math.min(length - done, largestRead);
      const count = readSync(this.#descriptor, bytes, done, wanted, position + done);
      if (count === 0) {
        throw new CheckpointError(
          { file: this.path, tensor },
          `ended after ${done} of ${length} bytes at ${position}: it was truncated while it was open`,
        );
      }
      done += count;
    }
    return bytes;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
