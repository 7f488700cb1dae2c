// Measures how a training step spends its time. Always on, because a phase costs only two clock
// readings.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Profiler } from './profiler.ts';

/**
 * Sums the seconds of each phase of the work that runs in it. Two clocks that run at once are
 * independent.
 */
export class PhaseClock {
  #seconds = new Map<string, number>();
  /** Records the phases too, if a profile is being taken. */
  profiler: Profiler | null = null;

  /** Runs `body`, and everything that it awaits, on this clock. */
  run<T>(body: () => T): T {
    return current.run({ clock: this, inside: false }, body);
  }

  /**
   * Seconds of each phase since the last call. A phase within another counts only for the outer
   * one.
   */
  take(): Map<string, number> {
    const taken = this.#seconds;
    this.#seconds = new Map();
    return taken;
  }

  /** @internal */
  begin(name: string): void {
    this.profiler?.range(name);
  }

  /** @internal */
  end(name: string, seconds: number, inside: boolean): void {
    if (!inside) this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + seconds);
    this.profiler?.endRange();
  }
}

const current = new AsyncLocalStorage<{ clock: PhaseClock; inside: boolean }>();

/**
 * Runs `body` as a phase: its time counts for `name` on the surrounding {@link PhaseClock}, and a
 * profile shows it. Without a clock it only runs `body`. If `body` returns a promise, the phase
 * lasts until that is settled.
 */
export function phase<T>(name: string, body: () => T): T {
  const around = current.getStore();
  if (around === undefined) return body();
  const { clock, inside } = around;
  clock.begin(name);
  const began = performance.now();
  const end = (): void => clock.end(name, (performance.now() - began) / 1000, inside);
  let result: T;
  try {
    result = current.run({ clock, inside: true }, body);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as T;
  end();
  return result;
}
