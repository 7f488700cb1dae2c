import { availableParallelism } from 'node:os';
import { findIsolation, unsafe } from './find-isolation.ts';
import { type HarnessName, harnessCode } from './harness/harness.ts';
import { findPython, type Interpreter } from './interpreter.ts';
import type { Isolation } from './isolation.ts';
import type { SandboxLimits } from './limits.ts';
import { ShutInProcess } from './shut-in-process.ts';
import { Slots } from './slots.ts';

export interface SandboxOptions {
  /**
   * `auto` uses a method that isolates programs, and fails if there is none; `none` runs them
   * without isolation.
   */
  isolation?: 'auto' | 'none' | Isolation;
  /** The Python, by name or path. */
  command?: string;
  /** Programs at a time (default: the number of cores). */
  concurrency?: number;
}

/** Other Keel processes on this machine most likely use other numbers. */
const FIRST_SLOT = process.pid * 64;

/** Runs Python programs that nobody has reviewed, in isolation. */
export class Sandbox {
  readonly interpreter: Interpreter;
  readonly #isolation: Isolation;
  readonly #slots: Slots;

  /** Use {@link Sandbox.open}. */
  constructor(isolation: Isolation, interpreter: Interpreter, concurrency: number) {
    this.#isolation = isolation;
    this.interpreter = interpreter;
    this.#slots = new Slots(concurrency);
  }

  /**
   * @throws NoIsolationError if the system cannot isolate programs
   * @throws Error if there is no such Python
   */
  static async open(options: SandboxOptions = {}): Promise<Sandbox> {
    const {
      isolation = 'auto',
      command = 'python3',
      concurrency = availableParallelism(),
    } = options;
    const interpreter = await findPython(command);
    const way =
      isolation === 'auto'
        ? await findIsolation(interpreter)
        : isolation === 'none'
          ? unsafe
          : isolation;
    return new Sandbox(way, interpreter, concurrency);
  }

  /** The method of isolation: `namespaces` or `none`. */
  get isolation(): string {
    return this.#isolation.name;
  }

  /**
   * Waits for its turn and passes `body` a function that starts processes. All of them end before
   * the next turn.
   */
  async use<Result>(
    limits: SandboxLimits,
    signal: AbortSignal | undefined,
    body: (
      start: (harness: HarnessName, limits?: SandboxLimits) => ShutInProcess,
    ) => Promise<Result>,
  ): Promise<Result> {
    return this.#slots.use(async (slot) => {
      signal?.throwIfAborted();
      const started: ShutInProcess[] = [];
      const abort = (): void => {
        for (const one of started) one.stop('aborted');
      };
      signal?.addEventListener('abort', abort, { once: true });
      try {
        return await body((harness, own = limits) => {
          const filtered = this.#isolation !== unsafe;
          const one = new ShutInProcess(this.#isolation, {
            interpreter: this.interpreter,
            code: harnessCode(harness, filtered),
            limits: own,
            slot: FIRST_SLOT + 2 * slot + started.length,
          });
          started.push(one);
          return one;
        });
      } finally {
        signal?.removeEventListener('abort', abort);
        for (const one of started) one.stop('no longer needed');
        await Promise.all(started.map(({ ended }) => ended));
        signal?.throwIfAborted();
      }
    });
  }
}
