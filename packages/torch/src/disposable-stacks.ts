// Node 22 has Symbol.dispose but not the two stacks of the proposal, which Node 24 has. This module
// defines them where they are missing, and can go when Node 22 is no longer supported.

type Release = () => unknown;

/** The errors of several releases, the latest outermost, as `using` reports them. */
class Suppressed extends Error {
  override readonly name = 'SuppressedError';
  readonly error: unknown;
  readonly suppressed: unknown;

  constructor(error: unknown, suppressed: unknown) {
    super('an error was suppressed while resources were released');
    this.error = error;
    this.suppressed = suppressed;
  }
}

/** What both stacks do: everything but the release. */
class Stack {
  protected released: Release[] | null = [];

  get disposed(): boolean {
    return this.released === null;
  }

  protected get open(): Release[] {
    if (this.released === null)
      throw new ReferenceError(`this ${this.constructor.name} is disposed`);
    return this.released;
  }

  adopt<T>(value: T, release: (value: T) => unknown): T {
    this.open.push(() => release(value));
    return value;
  }

  defer(release: Release): void {
    this.open.push(release);
  }

  /** The releases in the order in which they run. */
  protected close(): Release[] {
    const taken = this.released ?? [];
    this.released = null;
    return taken.reverse();
  }
}

/** Collects the errors of releases: the last one is thrown, with the earlier ones in it. */
class Errors {
  #thrown: { error: unknown } | null = null;

  add(error: unknown): void {
    this.#thrown = { error: this.#thrown ? new Suppressed(error, this.#thrown.error) : error };
  }

  throwAny(): void {
    if (this.#thrown !== null) throw this.#thrown.error;
  }
}

/** @throws TypeError if the value has no such method */
function methodOf(value: object, ...names: symbol[]): Release {
  for (const name of names) {
    const method = (value as Record<symbol, unknown>)[name];
    if (typeof method === 'function') return () => method.call(value);
  }
  throw new TypeError('the value is not disposable');
}

/** @internal for tests on a Node that has its own */
export class SyncStack extends Stack {
  use<T extends Disposable | null | undefined>(value: T): T {
    if (value != null) this.open.push(methodOf(value, Symbol.dispose));
    return value;
  }

  move(): SyncStack {
    const moved = new SyncStack();
    moved.released = this.open;
    this.released = null;
    return moved;
  }

  dispose(): void {
    const errors = new Errors();
    for (const release of this.close()) {
      try {
        release();
      } catch (error) {
        errors.add(error);
      }
    }
    errors.throwAny();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @internal for tests on a Node that has its own */
export class AsyncStack extends Stack {
  use<T extends AsyncDisposable | Disposable | null | undefined>(value: T): T {
    if (value != null) this.open.push(methodOf(value, Symbol.asyncDispose, Symbol.dispose));
    return value;
  }

  move(): AsyncStack {
    const moved = new AsyncStack();
    moved.released = this.open;
    this.released = null;
    return moved;
  }

  async disposeAsync(): Promise<void> {
    const errors = new Errors();
    for (const release of this.close()) {
      try {
        await release();
      } catch (error) {
        errors.add(error);
      }
    }
    errors.throwAny();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disposeAsync();
  }
}

const missing = { DisposableStack: SyncStack, AsyncDisposableStack: AsyncStack };
for (const [name, value] of Object.entries(missing)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
