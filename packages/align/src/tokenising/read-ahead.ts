import { OrderedSampler } from '../data/shuffle.ts';
import type { Outcome } from './tokenise-rows.ts';

/** A row's index in its dataset, and its outcome. */
export interface ReadRow<Tokens> {
  index: number;
  outcome: Outcome<Tokens>;
}

interface Coming<Tokens> {
  index: number;
  outcome: Promise<Outcome<Tokens>>;
}

/** For how many steps rows are read ahead. */
const STEPS_AHEAD = 2;

/**
 * Rows in the order of a sampler, read and tokenised ahead of time if this can run in parallel. The
 * sampler's state covers only the rows that were taken, never those read ahead, so a checkpoint's
 * state is the same as without reading ahead.
 */
export class ReadAhead<Tokens> {
  readonly #sampler: OrderedSampler;
  readonly #ahead: OrderedSampler;
  readonly #load: (indices: readonly number[]) => Promise<Outcome<Tokens>[]>;
  readonly #isWorthwhile: () => boolean;
  #coming: Coming<Tokens>[] = [];

  /**
   * @param load reads and tokenises rows
   * @param isWorthwhile whether loading runs in parallel with the caller's next work
   */
  constructor(
    sampler: OrderedSampler,
    load: (indices: readonly number[]) => Promise<Outcome<Tokens>[]>,
    isWorthwhile: () => boolean,
  ) {
    this.#sampler = sampler;
    this.#ahead = new OrderedSampler(sampler);
    this.#load = load;
    this.#isWorthwhile = isWorthwhile;
  }

  /** The next rows of the order. @throws what `load` throws for these rows */
  async take(count: number): Promise<ReadRow<Tokens>[]> {
    if (this.#coming.length === 0) this.#ahead.restore(this.#sampler.state());
    if (this.#coming.length < count) this.#send(count - this.#coming.length);
    const taken = this.#coming.splice(0, count);
    this.#sampler.take(count);
    const rows: ReadRow<Tokens>[] = [];
    for (const { index, outcome } of taken) rows.push({ index, outcome: await outcome });
    if (this.#isWorthwhile()) {
      while (this.#coming.length < STEPS_AHEAD * count) this.#send(count);
    }
    return rows;
  }

  /** Discards what was read ahead, because the sampler was moved. */
  forget(): void {
    this.#coming = [];
  }

  #send(count: number): void {
    const indices = this.#ahead.take(count);
    const outcomes = this.#load(indices);
    indices.forEach((index, place) => {
      const outcome = outcomes.then((all) => all[place]!);
      // An error is reported when the row is taken, which may never happen.
      outcome.catch(() => {});
      this.#coming.push({ index, outcome });
    });
  }
}
