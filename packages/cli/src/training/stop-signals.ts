import { exitCodes } from '../failure.ts';

const codes = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const;
type StopSignal = keyof typeof codes;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP (a closed terminal) into an abort, so that the step under way can be finished; the
 * second one ends the process at once.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: (name: StopSignal) => void;
  #received: StopSignal | null = null;

  constructor(onFirst: (name: StopSignal) => void) {
    this.#onFirst = onFirst;
    for (const name of Object.keys(codes)) process.on(name, this.#receive);
  }

  readonly #receive = (name: StopSignal): void => {
    if (this.#received !== null) process.exit(codes[name]);
    this.#received = name;
    this.#onFirst(name);
    this.#controller.abort();
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code that tells which signal came; 0 where none did. */
  get exitCode(): number {
    return this.#received === null ? exitCodes.done : codes[this.#received];
  }

  [Symbol.dispose](): void {
    for (const name of Object.keys(codes)) process.off(name, this.#receive);
  }
}
