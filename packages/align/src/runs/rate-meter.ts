/**
 * A rate, smoothed exponentially over time: what was measured `halfLife` seconds ago weighs half as
 * much as what is measured now. Call `resume` after
 * a pause (evaluation, a checkpoint), which is then left out.
 */
export class RateMeter {
  readonly #halfLife: number;
  readonly #now: () => number;
  #last: number;
  #units = 0;
  #seconds = 0;

  /**
   * @param halfLife in seconds.
   * @param now milliseconds, of any clock that only goes forward.
   */
  constructor(halfLife = 15, now: () => number = () => performance.now()) {
    this.#halfLife = halfLife;
    this.#now = now;
    this.#last = now();
  }

  /** Counts units (tokens, steps) that were done since the last call. */
  add(units: number): void {
    const now = this.#now();
    const elapsed = (now - this.#last) / 1000;
    const decay = 0.5 ** (elapsed / this.#halfLife);
    this.#units = this.#units * decay + units;
    this.#seconds = this.#seconds * decay + elapsed;
    this.#last = now;
  }

  /** Leaves out the time since the last call of `add` or `resume`. */
  resume(): void {
    this.#last = this.#now();
  }

  /** Units a second; null before anything was measured. */
  get rate(): number | null {
    return this.#seconds > 0 ? this.#units / this.#seconds : null;
  }

  /** Seconds for so many more units; null before anything was measured. */
  secondsFor(units: number): number | null {
    const { rate } = this;
    return rate !== null && rate > 0 ? units / rate : null;
  }
}
