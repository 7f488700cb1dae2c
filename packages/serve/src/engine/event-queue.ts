/** Values that one side adds and the other waits for. */
export class EventQueue<Value> implements AsyncIterable<Value> {
  readonly #values: Value[] = [];
  #ended = false;
  #error: unknown = null;
  #wake: (() => void) | null = null;

  push(value: Value): void {
    this.#values.push(value);
    this.#wake?.();
  }

  /** No more values follow; with an error, the reader gets it after the values so far. */
  end(error: unknown = null): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake?.();
  }

  get ended(): boolean {
    return this.#ended;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value, void, void> {
    while (true) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#ended) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    if (this.#error !== null) throw this.#error;
  }
}
