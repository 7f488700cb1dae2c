import { closeSync, fstatSync, openSync } from 'node:fs';
import { CheckpointError } from './checkpoint-error.ts';

// Files whose watchers were garbage-collected without being closed.
const leftOpen = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/**
 * A file that is mapped and not copied, so that writing to it changes the model's numbers.
 * Replacing it with another file of the same name, as downloads do, is safe: the mapping still
 * shows the old file.
 */
export class WatchedFile implements Disposable {
  readonly path: string;
  readonly #size: bigint;
  readonly #modified: bigint;
  #descriptor: number | null;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, 'r');
    leftOpen.register(this, this.#descriptor, this);
    const { size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    this.#size = size;
    this.#modified = mtimeNs;
  }

  /** Takes a few microseconds. @throws CheckpointError if the file has changed */
  check(): void {
    if (this.#descriptor === null) return;
    const { size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    if (size === this.#size && mtimeNs === this.#modified) return;
    const what =
      size === this.#size
        ? 'was modified'
        : `has ${size} bytes instead of ${this.#size}: it was truncated or modified`;
    throw new CheckpointError(
      { file: this.path },
      `${what} while it was in use, so the results are invalid. Run the command again. To resume a training run from its last checkpoint, pass --resume`,
    );
  }

  [Symbol.dispose](): void {
    if (this.#descriptor === null) return;
    leftOpen.unregister(this);
    closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
