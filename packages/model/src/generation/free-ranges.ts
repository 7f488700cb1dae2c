interface Range {
  start: number;
  length: number;
}

/** Allocates ranges of places, and takes them back. */
export class FreeRanges {
  /** Ordered by place; no two of them are adjacent. */
  #free: Range[] = [];
  #extent = 0;

  /** Number of places, free or not. */
  get extent(): number {
    return this.#extent;
  }

  /** Start of the first range of free places that is long enough; null if there is none. */
  take(length: number): number | null {
    const index = this.#free.findIndex((range) => range.length >= length);
    if (index < 0) return null;
    const range = this.#free[index]!;
    const { start } = range;
    range.start += length;
    range.length -= length;
    if (range.length === 0) this.#free.splice(index, 1);
    return start;
  }

  give(start: number, length: number): void {
    let index = this.#free.findIndex((range) => range.start > start);
    if (index < 0) index = this.#free.length;
    this.#free.splice(index, 0, { start, length });
    this.#join(index);
    if (index > 0) this.#join(index - 1);
  }

  /** Adds free places at the end. */
  grow(places: number): void {
    this.#extent += places;
    this.give(this.#extent - places, places);
  }

  /** Joins a range with the next one if they are adjacent. */
  #join(index: number): void {
    const [range, next] = [this.#free[index]!, this.#free[index + 1]];
    if (next === undefined || range.start + range.length !== next.start) return;
    range.length += next.length;
    this.#free.splice(index + 1, 1);
  }
}
