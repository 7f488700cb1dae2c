/**
 * Encoding at once by a library that encodes only asynchronously: the Rust library runs in a thread
 * of its own, and the caller's thread sleeps until the answer is there. One such thread serves all
 * tokenizers of a JS thread.
 *
 * Written here, in place of synckit, because its calls all wait: this one loads tokenizers while
 * the caller goes on, and frees them without being waited for.
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import {
  ANSWERED,
  type Answer,
  type DescribeRequest,
  type Description,
  type EncodedBatch,
  type EncodeRequest,
  type EncodingThreadStart,
  type LoadMessage,
  type Request,
  STARTED,
} from './encoding-protocol.ts';
import { TokenizerError } from './tokenizer-error.ts';

const program = new URL(import.meta.url.replace(/encoding-thread(\.\w+)$/, 'encoding-worker$1'));

/** How long a thread may take until it runs. */
const START_MILLISECONDS = 60_000;

class EncodingThread {
  readonly #port: MessagePort;
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  readonly #freed = new FinalizationRegistry<number>((tokenizer) => {
    this.#port.postMessage({ kind: 'free', tokenizer });
  });
  #next = 0;
  /** Requests so far. */
  #asked = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: EncodingThreadStart = { port: port2, state: this.#state.buffer };
    // Flags of the process (an inspector, a loader) are not the thread's.
    const worker = new Worker(program, { workerData: start, transferList: [port2], execArgv: [] });
    worker.unref();
    port1.unref();
  }

  /**
   * Begins to load a tokenizer, and returns its number.
   * @param owner the tokenizer is freed when this is collected
   */
  load(message: Omit<LoadMessage, 'kind' | 'tokenizer'>, owner: object): number {
    const tokenizer = this.#next++;
    this.#port.postMessage({ kind: 'load', tokenizer, ...message });
    this.#freed.register(owner, tokenizer);
    return tokenizer;
  }

  ask(request: DescribeRequest): Description;
  ask(request: EncodeRequest): EncodedBatch;
  ask(request: Request): Description | EncodedBatch {
    this.#asked = (this.#asked + 1) | 0;
    this.#port.postMessage(request);
    // A notification may come late, when the next answer is waited for: the count tells.
    for (;;) {
      const answered = Atomics.load(this.#state, ANSWERED);
      if (answered === this.#asked) break;
      const woken = Atomics.wait(this.#state, ANSWERED, answered, START_MILLISECONDS);
      if (woken === 'timed-out' && Atomics.load(this.#state, STARTED) === 0) {
        const limit = START_MILLISECONDS / 1000;
        throw new TokenizerError('The encoding thread', `did not start within ${limit} s`);
      }
    }
    const answer = receiveMessageOnPort(this.#port)!.message as Answer<Description | EncodedBatch>;
    if ('error' in answer) throw new Error(answer.error);
    return answer.value;
  }
}

export type { EncodingThread };

let thread: EncodingThread | null = null;

/**
 * The encoding thread of this JS thread. The first call starts it, and does not wait until it runs.
 */
export const encodingThread = (): EncodingThread => {
  thread ??= new EncodingThread();
  return thread;
};
