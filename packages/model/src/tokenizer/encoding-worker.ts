// The program of an encoding thread. See encoding-thread.ts.
import { workerData } from 'node:worker_threads';
import { GuardedTokenizer } from './encoding-guard.ts';
import { encode, load } from './encoding-library.ts';
import {
  ANSWERED,
  type Answer,
  type Description,
  ENDED,
  type EncodedBatch,
  type EncodeRequest,
  type EncodingThreadStart,
  type LoadMessage,
  type Message,
  type Request,
  STARTED,
} from './encoding-protocol.ts';

/** A tokenizer, here or in a separate process. */
interface Encoder extends Partial<Disposable> {
  description: Description;
  encode(request: EncodeRequest): Promise<EncodedBatch>;
}

const { port, state } = workerData as EncodingThreadStart;
const flags = new Int32Array(state);
Atomics.store(flags, STARTED, 1);
process.once('exit', () => {
  Atomics.store(flags, ENDED, 1);
  Atomics.notify(flags, ANSWERED);
});

const tokenizers = new Map<number, Promise<Encoder>>();

/** Messages are handled one at a time, because components are exchanged between encodings. */
let last: Promise<void> = Promise.resolve();
port.on('message', (message: Message | Request) => {
  last = last.then(() => handle(message));
});

async function open(message: LoadMessage): Promise<Encoder> {
  if (message.patterns.length > 0) return GuardedTokenizer.open(message);
  const loaded = await load(message);
  return { description: loaded.description, encode: (request) => encode(loaded, request) };
}

async function handle(message: Message | Request): Promise<void> {
  if (message.kind === 'free') {
    const freed = tokenizers.get(message.tokenizer);
    tokenizers.delete(message.tokenizer);
    freed?.then(
      (encoder) => encoder[Symbol.dispose]?.(),
      () => {},
    );
    return;
  }
  if (message.kind === 'load') {
    const loading = open(message);
    tokenizers.set(message.tokenizer, loading);
    // A failure is reported as the answer to the first request.
    await loading.catch(() => {});
    return;
  }
  const memory: ArrayBuffer[] = [];
  let answer: Answer<Description | EncodedBatch>;
  try {
    const encoder = await tokenizers.get(message.tokenizer)!;
    answer = {
      value: message.kind === 'describe' ? encoder.description : await encoder.encode(message),
    };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  if ('value' in answer && 'ids' in answer.value) {
    const { ids, starts, ends } = answer.value;
    memory.push(ids.buffer);
    if (starts && ends) memory.push(starts.buffer, ends.buffer);
  }
  try {
    port.postMessage(answer, memory);
  } catch (error) {
    // Without an answer, the caller would wait for ever.
    port.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
  Atomics.add(flags, ANSWERED, 1);
  Atomics.notify(flags, ANSWERED);
}
