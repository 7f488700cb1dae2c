import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { checkedOutcome, thrownText } from './checked-outcomes.ts';
import { RewardError, type RewardInput, type RewardOutcome } from './reward.ts';

/** How many calls run side by side, and how long one may take. */
export interface CallLimits {
  concurrency: number;
  /** Seconds; null: no limit. */
  timeout: number | null;
}

export const usualCallLimits: CallLimits = { concurrency: 16, timeout: null };

export interface EachInputOptions extends CallLimits {
  signal?: AbortSignal | undefined;
  /**
   * Calls hold nothing of ours: once one has failed or the signal has fired, the others are told so
   * and left alone. Otherwise a call under way is waited for.
   */
  detached: boolean;
}

/**
 * The event loop turns at least this often between synchronous calls, so that signals get through.
 */
const TURN_MILLISECONDS = 50;

/**
 * Judges inputs each by itself, several side by side, and checks what comes back.
 * @param judge gets a signal that fires when its result is no longer wanted
 * @returns an outcome per input, in the order of the inputs
 * @throws RewardError naming the first input for which `judge` throws, takes too long or gives what
 *   is no outcome; the signal's reason once it is aborted
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
          : new RewardError(index, `${name}: ${thrownText(error)}`, { cause: error });
      // At once, so that no further call begins.
      stop.abort(named);
      throw named;
    }
  };
  const calls = inputs.map((input, index) => limit(call, input, index));
  try {
    return await Promise.all(calls);
  } catch (error) {
    // The others end at once where they are detached, and with the call under way where they are
    // not.
    await Promise.allSettled(calls);
    throw error;
  }
}

/** What ends calls before they have a result. */
class Over implements Disposable {
  readonly #wanted: AbortSignal;
  readonly #over = Promise.withResolvers<never>();

  constructor(wanted: AbortSignal) {
    this.#wanted = wanted;
    // Nobody may be waiting when it rejects.
    this.#over.promise.catch(() => {});
    wanted.addEventListener('abort', this.#leave);
    process.once('beforeExit', this.#idle);
  }

  readonly #leave = (): void => this.#over.reject(this.#wanted.reason);
  /** Node would end the process without a word: nothing is left that could settle the promises. */
  readonly #idle = (): void =>
    this.#over.reject(new Error('the promise it returned can never settle'));

  /**
   * What `body` gives, unless the time is up or nobody wants it any more: then it is left to
   * itself.
   */
  async race(body: (signal: AbortSignal) => unknown, seconds: number | null): Promise<unknown> {
    if (seconds === null) return Promise.race([body(this.#wanted), this.#over.promise]);
    const late = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new Error(
        `no result after ${seconds} s, the time limit of a call (--reward-timeout)`,
      );
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
