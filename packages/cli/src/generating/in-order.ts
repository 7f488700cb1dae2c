/** Takes values in any order and passes them on by position, from 0, as early as possible. */
export class InOrder<T> {
  readonly #waiting = new Map<number, T>();
  readonly #passOn: (value: T, place: number) => void;
  #next = 0;

  constructor(passOn: (value: T, place: number) => void) {
    this.#passOn = passOn;
  }

  add(place: number, value: T): void {
    this.#waiting.set(place, value);
    while (this.#waiting.has(this.#next)) {
      const ready = this.#waiting.get(this.#next) as T;
      this.#waiting.delete(this.#next);
      this.#passOn(ready, this.#next);
      this.#next += 1;
    }
  }
}
