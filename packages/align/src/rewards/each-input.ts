import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { checkedOutcome } from './checked-outcomes.ts';
import { placedText } from './module-fault.ts';
import { RewardError, type RewardInput, type RewardOutcome } from './reward.ts';

/** How many calls run concurrently, and how long each may take. */
export interface CallLimits {
  concurrency: number;
  /** Seconds; null: no limit. */
  timeout: number | null;
}

export const usualCallLimits: CallLimits = { concurrency: 16, timeout: null };

export interface EachInputOptions extends CallLimits {
  signal?: AbortSignal | undefined;
  /**
   * Calls hold no resources of Keel: once one has failed or the signal has fired, the others are
   * notified and abandoned. Otherwise, a call in progress is awaited.
   */
  detached: boolean;
}

/**
 * The event loop runs at least this often between synchronous calls, so that signals are handled.
 */
const TURN_MILLISECONDS = 50;

/**
 * Judges each input separately, several concurrently, and checks the results.
 * @param judge receives a signal that fires when its result is no longer wanted
 * @returns one outcome per input, in order
 * @throws RewardError naming the first input for which `judge` throws, takes too long or returns an
 *   invalid outcome; the signal's reason once it is aborted
 */
export async function eachInput(
  name: string,
  inputs: readonly RewardInput[],
  judge: (input: RewardInput, signal: AbortSignal) => unknown,
  { concurrency, timeout, signal, detached }: EachInputOptions,
): Promise<RewardOutcome[]> {
  const stop = new AbortController();
  const wanted = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  using over = new Over(wanted);
  const limit = pLimit(concurrency);
  let turned = performance.now();
  const call = async (input: RewardInput, index: number): Promise<RewardOutcome> => {
    if (performance.now() - turned > TURN_MILLISECONDS) {
      await setImmediate();
      turned = performance.now();
    }
    wanted.throwIfAborted();
    try {
      const found = detached
        ? await over.race((own) => judge(input, own), timeout)
        : await judge(input, wanted);
      return checkedOutcome(name, index, found);
    } catch (error) {
      if (wanted.aborted && error === wanted.reason) throw error;
      const named =
        error instanceof RewardError
          ? error
          : new RewardError(index, `${name}: ${placedText(error)}`, { cause: error });
      // Immediately, so that no further call starts.
      stop.abort(named);
      throw named;
    }
  };
  const calls = inputs.map((input, index) => limit(call, input, index));
  try {
    return await Promise.all(calls);
  } catch (error) {
    // Detached calls end immediately; the others end when the call in progress does.
    await Promise.allSettled(calls);
    throw error;
  }
}

/**
 * Makes one call. Once its time is up or the signal fires, it is notified and abandoned.
 * @throws what `body` throws, Error if its time is up, the signal's reason once it is aborted
 */
export async function callOnce(
  body: (signal: AbortSignal) => unknown,
  { timeout, signal }: Pick<EachInputOptions, 'timeout' | 'signal'>,
): Promise<unknown> {
  signal?.throwIfAborted();
  using over = new Over(signal ?? new AbortController().signal);
  return await over.race(body, timeout);
}

/** The error of a call that takes longer than this. */
export const timeLimitError = (seconds: number): Error =>
  new Error(`no result after ${seconds} s, the time limit of a call (--reward-timeout)`);

/** Ends calls before they have a result. */
class Over implements Disposable {
  readonly #wanted: AbortSignal;
  readonly #over = Promise.withResolvers<never>();

  constructor(wanted: AbortSignal) {
    this.#wanted = wanted;
    // Nothing may be waiting for it when it rejects.
    this.#over.promise.catch(() => {});
    wanted.addEventListener('abort', this.#leave);
    process.once('beforeExit', this.#idle);
  }

  readonly #leave = (): void => this.#over.reject(this.#wanted.reason);
  /** Otherwise Node would exit silently: nothing is left that could settle the promises. */
  readonly #idle = (): void =>
    this.#over.reject(new Error('the promise it returned can never settle'));

  /**
   * The result of `body`, unless the time is up or the result is no longer wanted: `body` is then
   * abandoned.
   */
  async race(body: (signal: AbortSignal) => unknown, seconds: number | null): Promise<unknown> {
    if (seconds === null) return Promise.race([body(this.#wanted), this.#over.promise]);
    const late = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = timeLimitError(seconds);
      reject(error);
      late.abort(error);
    }, 1000 * seconds);
    try {
      const found = body(AbortSignal.any([this.#wanted, late.signal]));
      return await Promise.race([found, promise, this.#over.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#wanted.removeEventListener('abort', this.#leave);
    process.off('beforeExit', this.#idle);
  }
}
