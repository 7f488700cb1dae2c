/** Hands on what comes in any order in its own order, from 0 on, as early as can be. */
export class InOrder<T> {
  readonly #waiting = new Map<number, T>();
  readonly #handOn: (value: T, place: number) => void;
  #next = 0;

  constructor(handOn: (value: T, place: number) => void) {
    this.#handOn = handOn;
  }

  add(place: number, value: T): void {
    this.#waiting.set(place, value);
    while (this.#waiting.has(this.#next)) {
      const ready = this.#waiting.get(this.#next) as T;
      this.#waiting.delete(this.#next);
      this.#handOn(ready, this.#next);
      this.#next += 1;
    }
  }
}
