// Mean and variance of a stream: Welford 1962 for one number, Chan, Golub & LeVeque 1983 (eq. 2.1) for two parts.

export interface RunningMomentsState {
  count: number;
  mean: number;
  /** Sum of squared distances from the mean. */
  squares: number;
}

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
  /** With Bessel's correction; 0 for fewer than 2 numbers. */
  get variance(): number {
    return this.#count < 2 ? 0 : this.#squares / (this.#count - 1);
  }
  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  /** @throws RangeError for a number that is not finite; none of `values` is then taken */
  add(values: ArrayLike<number>): void {
    for (let index = 0; index < values.length; index++) {
      if (!Number.isFinite(values[index]!)) {
        throw new RangeError(`number ${index} of the batch is ${values[index]}`);
      }
    }
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      const gap = value - this.#mean;
      this.#count++;
      this.#mean += gap / this.#count;
      this.#squares += gap * (value - this.#mean);
    }
  }

  /** Takes in what another has seen, as if its numbers had been added here. */
  merge(other: RunningMoments): void {
    const { count, mean, squares } = other.state();
    const total = this.#count + count;
    if (total === 0) return;
    const gap = mean - this.#mean;
    this.#squares += squares + (gap * gap * this.#count * count) / total;
    this.#mean += (gap * count) / total;
    this.#count = total;
  }

  state(): RunningMomentsState {
    return { count: this.#count, mean: this.#mean, squares: this.#squares };
  }
  /** @throws RangeError for a state that no stream can have left */
  restore({ count, mean, squares }: RunningMomentsState): void {
    const sound = Number.isInteger(count) && count >= 0 && Number.isFinite(mean) && squares >= 0;
    if (!sound || !Number.isFinite(squares)) {
      throw new RangeError(
        `not a state of running moments: count ${count}, mean ${mean}, squares ${squares}`,
      );
    }
    this.#count = count;
    this.#mean = mean;
    this.#squares = squares;
  }
}
