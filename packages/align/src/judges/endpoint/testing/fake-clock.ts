import type { Clock, Deadline } from '../clock.ts';

/** A clock that waits no time: it notes the waits, and its deadlines end when a test says so. */
export class FakeClock implements Clock {
  /** Milliseconds of each wait so far. */
  readonly waits: number[] = [];
  /** Milliseconds of each deadline so far. */
  readonly limits: number[] = [];
  #now = Date.parse('2026-01-01T00:00:00Z');
  readonly #deadlines = new Set<AbortController>();

  now(): number {
    return this.#now;
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.waits.push(milliseconds);
    this.#now += milliseconds;
  }

  deadline(milliseconds: number): Deadline {
    const controller = new AbortController();
    this.#deadlines.add(controller);
    this.limits.push(milliseconds);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        this.#deadlines.delete(controller);
      },
    };
  }

  get openDeadlines(): number {
    return this.#deadlines.size;
  }

  /** Ends the time of every open deadline. */
  expire(): void {
    for (const controller of this.#deadlines) controller.abort();
  }
}
