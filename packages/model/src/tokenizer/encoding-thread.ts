/**
 * Synchronous encoding with a library that encodes only asynchronously. The Rust library runs in a
 * separate thread, and the caller's thread sleeps until the result is there. One such thread serves
 * all tokenizers of a JS thread.
 *
 * It replaces synckit because all of synckit's calls wait. This one loads tokenizers while the
 * caller continues, and frees them without waiting.
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
  ENDED,
  type EncodedBatch,
  type EncodeRequest,
  type EncodingThreadStart,
  type LoadMessage,
  type Request,
  STARTED,
} from './encoding-protocol.ts';
import { TokenizerError } from './tokenizer-error.ts';

const program = new URL(import.meta.url.replace(/encoding-thread(\.\w+)$/, 'encoding-worker$1'));

/** Time limit for starting a thread. */
const START_MILLISECONDS = 60_000;

class EncodingThread {
  readonly #port: MessagePort;
  readonly #state = new Int32Array(new SharedArrayBuffer(12));
  readonly #freed = new FinalizationRegistry<number>((tokenizer) => {
    this.#port.postMessage({ kind: 'free', tokenizer });
  });
  #next = 0;
  /** Number of requests so far. */
  #asked = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: EncodingThreadStart = { port: port2, state: this.#state.buffer };
    // The process's flags (an inspector, a loader) do not apply to the thread.
    const worker = new Worker(program, { workerData: start, transferList: [port2], execArgv: [] });
    worker.unref();
    port1.unref();
  }

  /**
   * Starts loading a tokenizer, and returns its number.
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
    // A notification may arrive late, while the next answer is awaited, so the count decides.
    for (;;) {
      const answered = Atomics.load(this.#state, ANSWERED);
      if (answered === this.#asked) break;
      if (Atomics.load(this.#state, ENDED) === 1) {
        throw new TokenizerError('The encoding thread', 'has ended');
      }
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
 * The encoding thread of this JS thread. The first call starts it without waiting until it runs.
 */
export const encodingThread = (): EncodingThread => {
  thread ??= new EncodingThread();
  return thread;
};
