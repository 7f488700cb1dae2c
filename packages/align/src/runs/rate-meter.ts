/**
 * A rate, smoothed exponentially over time: a measurement from `halfLife` seconds ago has half the
 * weight of one from now. Call `resume` after a pause (evaluation, a checkpoint) to exclude it.
 */
export class RateMeter {
  readonly #halfLife: number;
  readonly #now: () => number;
  #last: number;
  #units = 0;
  #seconds = 0;

  /**
   * @param halfLife in seconds
   * @param now milliseconds of any monotonic clock
   */
  constructor(halfLife = 15, now: () => number = () => performance.now()) {
    this.#halfLife = halfLife;
    this.#now = now;
    this.#last = now();
  }

  /** Counts units (tokens, steps) completed since the last call. */
  add(units: number): void {
    const now = this.#now();
    const elapsed = (now - this.#last) / 1000;
    const decay = 0.5 ** (elapsed / this.#halfLife);
    this.#units = this.#units * decay + units;
    this.#seconds = this.#seconds * decay + elapsed;
    this.#last = now;
  }

  /** Excludes the time since the last call of `add` or `resume`. */
  resume(): void {
    this.#last = this.#now();
  }

  /** Units per second; null before the first measurement. */
  get rate(): number | null {
    return this.#seconds > 0 ? this.#units / this.#seconds : null;
  }

  /** Seconds for this many more units; null before the first measurement. */
  secondsFor(units: number): number | null {
    const { rate } = this;
    return rate !== null && rate > 0 ? units / rate : null;
  }
}
