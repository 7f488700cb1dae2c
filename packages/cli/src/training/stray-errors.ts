/**
 * Catches errors that nobody awaits, such as one in a timer of a reward function. By default they
 * end the process at once. The first one aborts the signal instead, so that the run can save its
 * state.
 */
export class StrayErrors implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: (error: unknown) => void;
  #first: { error: unknown } | null = null;

  constructor(onFirst: (error: unknown) => void) {
    this.#onFirst = onFirst;
    process.on('uncaughtException', this.#receive);
    process.on('unhandledRejection', this.#receive);
  }

  readonly #receive = (error: unknown): void => {
    if (this.#first !== null) return;
    this.#first = { error };
    this.#onFirst(error);
    this.#controller.abort(error);
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first of them; null if there was none. */
  get first(): { error: unknown } | null {
    return this.#first;
  }

  [Symbol.dispose](): void {
    process.off('uncaughtException', this.#receive);
    process.off('unhandledRejection', this.#receive);
  }
}
