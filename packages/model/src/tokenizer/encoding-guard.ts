import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type {
  Answer,
  Description,
  EncodedBatch,
  EncodeRequest,
  LoadMessage,
} from './encoding-protocol.ts';

const program = fileURLToPath(
  new URL(import.meta.url.replace(/encoding-guard(\.\w+)$/, 'encoding-child$1')),
);

/**
 * Time limit of a request, plus an allowance for each character. Usual patterns take a few
 * millionths of that.
 */
const MILLISECONDS = 30_000;
const MILLISECONDS_A_CHARACTER = 0.05;

/**
 * A tokenizer with unknown regular expressions, in a process that can be terminated. The next
 * request then starts a new one, since a text that takes too long says nothing about other texts.
 */
export class GuardedTokenizer implements Disposable {
  readonly description: Description;
  readonly #load: LoadMessage;
  #child: ChildProcess | null;

  private constructor(load: LoadMessage, child: ChildProcess, description: Description) {
    this.#load = load;
    this.#child = child;
    this.description = description;
  }

  /** @throws Error if the library rejects the tokenizer, or the tokenizer ends its process */
  static async open(load: LoadMessage): Promise<GuardedTokenizer> {
    const { child, description } = await started(load);
    return new GuardedTokenizer(load, child, description);
  }

  /** @throws Error naming the patterns if the text takes too long */
  async encode(request: EncodeRequest): Promise<EncodedBatch> {
    this.#child ??= (await started(this.#load)).child;
    const characters = request.texts.reduce((sum, text) => sum + text.length, 0);
    try {
      const { counts, ids, starts, ends } = await ask<EncodedBatch>(
        this.#child,
        request,
        MILLISECONDS + characters * MILLISECONDS_A_CHARACTER,
      );
      // An answer of a process may be views of one buffer, which cannot be passed on to a thread.
      return {
        ...{ counts, ids: ids.slice() },
        ...{ starts: starts?.slice() ?? null, ends: ends?.slice() ?? null },
      };
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      this.#child = null;
      const patterns = this.#load.patterns.map((pattern) => JSON.stringify(pattern)).join(', ');
      throw new Error(
        `${error.message} on a text of ${characters} characters. Its pre-tokenizer or normalizer has a regular expression that tries too many ways to divide a text: ${patterns}`,
      );
    }
  }

  [Symbol.dispose](): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }
}

/** The process ended, or was terminated, before it responded. */
class Ended extends Error {}

async function started(
  load: LoadMessage,
): Promise<{ child: ChildProcess; description: Description }> {
  const child = fork(program, [], {
    serialization: 'advanced',
    execArgv: [],
    // The library's output before it ends the process is of no use to users.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return { child, description: await ask<Description>(child, load, MILLISECONDS) };
}

function ask<Value>(
  child: ChildProcess,
  message: LoadMessage | EncodeRequest,
  milliseconds: number,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      child.off('message', onAnswer);
      child.off('exit', onExit);
      child.off('error', onError);
      child.channel?.unref();
    };
    const onAnswer = (answer: Answer<Value>): void => {
      done();
      if ('error' in answer) reject(new Error(answer.error));
      else resolve(answer.value);
    };
    const onExit = (): void => {
      done();
      reject(new Ended('the tokenizers library gave up'));
    };
    const onError = (error: Error): void => {
      done();
      reject(new Ended(error.message));
    };
    const timer = setTimeout(() => {
      done();
      child.kill('SIGKILL');
      reject(
        new Ended(
          `the tokenizers library took more than ${Math.round(milliseconds / 1000)} seconds`,
        ),
      );
    }, milliseconds);
    child.on('message', onAnswer);
    child.on('exit', onExit);
    child.on('error', onError);
    // A caller is waiting, so the thread must stay alive.
    child.channel?.ref();
    if (!child.connected) onExit();
    else child.send(message, (error) => error && onError(error));
  });
}
