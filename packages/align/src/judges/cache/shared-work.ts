/**
 * Work that several callers wait for. Each can leave; once all have left, the work is aborted.
 */
export class SharedWork<Result> {
  readonly #controller = new AbortController();
  readonly #result: Promise<Result>;
  /** Resolves when the work has ended, however it does. */
  readonly ended: Promise<void>;
  #waiting = 0;

  constructor(start: (signal: AbortSignal) => Promise<Result>) {
    this.#result = start(this.#controller.signal);
    // Callers who left do not hear of an error.
    this.ended = this.#result.then(
      () => {},
      () => {},
    );
  }

  /** Whether all callers have left, so that the work has no result. */
  get isAbandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /** @throws the error of the work, or the signal's reason once it is aborted */
  async wait(signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    this.#waiting += 1;
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0 && signal?.aborted) this.#controller.abort(signal.reason);
    }
  }
}
