// Mean and deviation of a stream, updated score by score (Welford 1962) and merged from parts
// (Chan, Golub & LeVeque 1979), so that a large common offset loses no digits and no scores are
// held in memory.

/** What a stream needs to continue after a restart. */
export interface RunningMomentsState {
  count: number;
  mean: number;
  /** Sum of squared differences from the mean. */
  squares: number;
}

/** Count, mean and deviation of a stream of numbers. */
export class RunningMoments {
  #count = 0;
  #mean = 0;
  #squares = 0;

  get count(): number {
    return this.#count;
  }
  get mean(): number {
    return this.#mean;
  }
  /** sqrt(sum (x - mean)^2 / (n - 1)); 0 for fewer than two values. */
  get standardDeviation(): number {
    return this.#count < 2 ? 0 : Math.sqrt(this.#squares / (this.#count - 1));
  }

  /** @throws RangeError for a value that is not finite */
  add(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite score`);
    this.#count++;
    const before = value - this.#mean;
    this.#mean += before / this.#count;
    this.#squares += before * (value - this.#mean);
  }

  /** Adds all values of `other`. */
  merge(other: RunningMoments): void {
    if (other.#count === 0) return;
    const count = this.#count + other.#count;
    const gap = other.#mean - this.#mean;
    this.#squares += other.#squares + (gap * gap * this.#count * other.#count) / count;
    this.#mean += (gap * other.#count) / count;
    this.#count = count;
  }

  state(): RunningMomentsState {
    return { count: this.#count, mean: this.#mean, squares: this.#squares };
  }
  /** @throws RangeError for an impossible state; nothing is changed then */
  restore({ count, mean, squares }: RunningMomentsState): void {
    const sound = Number.isInteger(count) && count >= 0 && Number.isFinite(mean);
    if (!sound || !Number.isFinite(squares) || squares < 0) {
      throw new RangeError(
        `not a state of running moments: count ${count}, mean ${mean}, squares ${squares}`,
      );
    }
    this.#count = count;
    this.#mean = mean;
    this.#squares = squares;
  }
}
