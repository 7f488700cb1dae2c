import { closeSync, fstatSync, openSync } from 'node:fs';
import { CheckpointError } from './checkpoint-error.ts';

// Files whose watchers were collected without having been closed.
const leftOpen = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/**
 * A file that is mapped and not copied: whoever writes into it changes the numbers of the model.
 * One that is replaced by another of its name, as a download does, stays what it was for those who
 * have it.
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

  /** A few microseconds. @throws CheckpointError where the file is not what it was */
  check(): void {
    if (this.#descriptor === null) return;
    const { size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    if (size === this.#size && mtimeNs === this.#modified) return;
    const what =
      size === this.#size
        ? 'was written to'
        : `has ${size} bytes and had ${this.#size}: it was cut or written to`;
    throw new CheckpointError(
      { file: this.path },
      `${what} while it was in use, so what is computed with it means nothing. Run the command again; a training run resumes from its last checkpoint with --resume`,
    );
  }

  [Symbol.dispose](): void {
    if (this.#descriptor === null) return;
    leftOpen.unregister(this);
    closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
