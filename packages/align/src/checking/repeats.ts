import { type Place, placeName } from '../data/data-error.ts';

/** Rows that repeat an earlier row in some respect. */
export interface Repeats {
  count: number;
  /** The first of them, with the row that each repeats. */
  examples: RepeatedRow[];
}

/** Places of two rows, such as `pairs.jsonl:7`. */
export interface RepeatedRow {
  row: string;
  earlier: string;
}

const MOST_EXAMPLES = 20;

type PlaceOf = (index: number) => Place;

/** Counts repeats by the index of their rows. */
export class RepeatCounter {
  #count = 0;
  readonly #examples: (readonly [row: number, earlier: number])[] = [];

  add(row: number, earlier: number): void {
    this.#count++;
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push([row, earlier]);
  }

  /** @param earlierPlace of the earlier rows (default: as of the others) */
  repeats(place: PlaceOf, earlierPlace: PlaceOf = place): Repeats {
    const examples = this.#examples.map(([row, earlier]) => ({
      row: placeName(place(row)),
      earlier: placeName(earlierPlace(earlier)),
    }));
    return { count: this.#count, examples };
  }
}
