// Calls a user's function in another thread. A time limit can then also stop an endless loop, by
// ending the thread.
import { Worker } from 'node:worker_threads';
import { timeLimitError } from './each-input.ts';
import type { FunctionInput } from './user-function.ts';

/** The function: an export of a module. */
export interface FunctionPlace {
  /** Absolute path. */
  file: string;
  name: string;
  /** The model whose tokens are counted; null: they are not counted. */
  tokenizer: string | null;
}

export type ThreadRequest =
  | { type: 'call'; id: number; input: FunctionInput | FunctionInput[] }
  /** The call is cancelled. */
  | { type: 'abort'; id: number; reason: string };

export type ThreadAnswer =
  | { type: 'started'; id: number }
  | { type: 'result'; id: number; value: unknown }
  /** The text of what was thrown. */
  | { type: 'error'; id: number; text: string };

interface Call {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  timer?: NodeJS.Timeout;
}

const program = new URL(import.meta.url.replace(/function-thread(\.\w+)/, 'function-caller$1'));

/** A thread, started with the first call, that keeps the process alive only during calls. */
export class FunctionThread implements Disposable {
  readonly #place: FunctionPlace;
  readonly #seconds: number;
  readonly #calls = new Map<number, Call>();
  #worker: Worker | null = null;
  #next = 0;

  /** @param seconds time limit of a call, from its start */
  constructor(place: FunctionPlace, seconds: number) {
    this.#place = place;
    this.#seconds = seconds;
  }

  /** @throws Error with what the function threw, or if its time is up */
  call(input: FunctionInput | FunctionInput[], signal: AbortSignal): Promise<unknown> {
    const worker = this.#start();
    const id = this.#next++;
    const aborted = (): void => {
      const call = this.#calls.get(id);
      if (call === undefined) return;
      const reason = (signal.reason as Error | undefined)?.message ?? 'aborted';
      this.#worker?.postMessage({ type: 'abort', id, reason } satisfies ThreadRequest);
      this.#settled(id, call);
      call.reject(signal.reason);
    };
    return new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ type: 'call', id, input } satisfies ThreadRequest);
      signal.addEventListener('abort', aborted, { once: true });
    }).finally(() => signal.removeEventListener('abort', aborted));
  }

  [Symbol.dispose](): void {
    this.#end(new Error('the reward was closed'));
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    // The flags of the process (an inspector, a loader) do not apply to the thread.
    const worker = new Worker(program, { workerData: this.#place, execArgv: [] });
    worker.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#end(error as Error);
    });
    worker.on('exit', (code) => {
      if (this.#worker === worker) this.#end(new Error(`the module ended its thread (${code})`));
    });
    this.#worker = worker;
    return worker;
  }

  #answered(answer: ThreadAnswer): void {
    const call = this.#calls.get(answer.id);
    if (call === undefined) return;
    if (answer.type === 'started') {
      call.timer = setTimeout(
        () => this.#end(timeLimitError(this.#seconds), answer.id),
        1000 * this.#seconds,
      );
      return;
    }
    this.#settled(answer.id, call);
    if (answer.type === 'result') call.resolve(answer.value);
    else call.reject(new Error(answer.text));
  }

  #settled(id: number, { timer }: Call): void {
    clearTimeout(timer);
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#worker?.unref();
  }

  /** Ends the thread and its calls, `first` before the others. */
  #end(error: Error, first?: number): void {
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
    const calls = [...this.#calls].sort(([a], [b]) => Number(b === first) - Number(a === first));
    for (const [id, call] of calls) {
      this.#settled(id, call);
      call.reject(error);
    }
  }
}
