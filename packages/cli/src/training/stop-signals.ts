import { exitCodes } from '../failure.ts';
import { type OutputEnd, onOutputEnd } from '../output-end.ts';
import { complain } from '../terminal.ts';

const codes = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const;
type StopSignal = keyof typeof codes;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP (a closed terminal) into an abort, so that the current
 * step can finish; the second one ends the process at once. A stdout that can no longer be written
 * to aborts in the same way.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: (name: StopSignal) => void;
  readonly #stopListening: () => void;
  #received: StopSignal | null = null;
  #output: OutputEnd | null = null;

  constructor(onFirst: (name: StopSignal) => void) {
    this.#onFirst = onFirst;
    for (const name of Object.keys(codes)) process.on(name, this.#receive);
    this.#stopListening = onOutputEnd((end) => {
      this.#output = end;
      complain(`${end.reason}. Finishing the current step and saving it.`);
      this.#controller.abort();
    });
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

  /** Whether stdout can no longer be written to; further messages belong on stderr. */
  get outputEnded(): boolean {
    return this.#output !== null;
  }

  /** The exit code for the signal received, or for the way stdout ended; 0 if neither happened. */
  get exitCode(): number {
    if (this.#received !== null) return codes[this.#received];
    return this.#output?.exitCode ?? exitCodes.done;
  }

  [Symbol.dispose](): void {
    for (const name of Object.keys(codes)) process.off(name, this.#receive);
    this.#stopListening();
  }
}
