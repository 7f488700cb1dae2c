import { Worker } from 'node:worker_threads';
import type { ThreadAnswer, ThreadRequest, ThreadStart } from './tokenise-rows.ts';
import { pack, unpack } from './transfer.ts';

type Results = ThreadAnswer['results'];

const program = new URL(import.meta.url.replace(/tokenising-thread(\.\w+)/, 'tokeniser-thread$1'));

/**
 * A thread with its own tokenizer. It keeps the process alive only while a request is pending.
 */
export class TokenisingThread implements Disposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, (results: Results | null) => void>();
  #state: 'starting' | 'ready' | 'ended' = 'starting';
  #next = 0;

  constructor(start: ThreadStart) {
    // The flags of the process (an inspector, a loader) do not apply to the thread.
    this.#worker = new Worker(program, { workerData: start, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (message: 'ready' | ThreadAnswer) => {
      if (message === 'ready') this.#state = 'ready';
      else this.#settle(message.id, message.results);
    });
    // If a thread fails (out of memory, for example), the caller tokenises its rows.
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Number of pending requests. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** A result for each row, null for one that failed; null for all if the thread has ended. */
  tokenise(rows: readonly unknown[]): Promise<Results | null> {
    if (this.#state === 'ended') return Promise.resolve(null);
    const memory: ArrayBuffer[] = [];
    const packed = rows.map((row) => pack(row, memory));
    const request: ThreadRequest = { id: this.#next++, rows: packed };
    return new Promise((settle) => {
      this.#worker.ref();
      this.#pending.set(request.id, settle);
      this.#worker.postMessage(request, memory);
    });
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
    this.#end();
  }

  #settle(id: number, results: Results): void {
    const settle = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker.unref();
    settle?.(results.map((result) => (result === null ? null : { tokens: unpack(result.tokens) })));
  }

  #end(): void {
    this.#state = 'ended';
    this.#worker.unref();
    for (const settle of this.#pending.values()) settle(null);
    this.#pending.clear();
  }
}
