/** Limits how many run at a time; the others wait in order. */
export class Slots {
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, slot) => slot).reverse();
  }

  /** Runs `body` with the number of a slot that no one else uses meanwhile. */
  async use<Result>(body: (slot: number) => Promise<Result>): Promise<Result> {
    const free = this.#free.pop();
    const slot = free ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)));
    try {
      return await body(slot);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(slot);
      else this.#free.push(slot);
    }
  }
}
