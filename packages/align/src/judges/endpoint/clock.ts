import { setTimeout as sleep } from 'node:timers/promises';

/** Time, for waits and limits; tests replace it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** @throws the signal's reason once it is aborted */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A signal that fires after this time, unless the deadline is disposed before. */
  deadline(milliseconds: number): Deadline;
}

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async wait(milliseconds, signal) {
    try {
      await sleep(milliseconds, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  deadline(milliseconds) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), milliseconds);
    return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
