import { OrderedSampler } from '../data/shuffle.ts';
import type { Outcome } from './tokenise-rows.ts';

/** A row's place in its dataset, and what became of it. */
export interface ReadRow<Tokens> {
  index: number;
  outcome: Outcome<Tokens>;
}

interface Coming<Tokens> {
  index: number;
  outcome: Promise<Outcome<Tokens>>;
}

/** How many times the rows of a step are read ahead. */
const STEPS_AHEAD = 2;

/**
 * Rows in the order of a sampler, read and tokenised before their turn while somebody else can do
 * it. The sampler stands at the rows that were taken, never at those read ahead: a checkpoint's
 * state is what it would be without.
 */
export class ReadAhead<Tokens> {
  readonly #sampler: OrderedSampler;
  readonly #ahead: OrderedSampler;
  readonly #load: (indices: readonly number[]) => Promise<Outcome<Tokens>[]>;
  readonly #isWorthwhile: () => boolean;
  #coming: Coming<Tokens>[] = [];

  /**
   * @param load reads and tokenises rows
   * @param isWorthwhile whether that goes on beside what the caller does next
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

  /** The next rows of the order. @throws what `load` throws of these rows */
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

  /** Forgets what was read ahead: the sampler was put elsewhere. */
  forget(): void {
    this.#coming = [];
  }

  #send(count: number): void {
    const indices = this.#ahead.take(count);
    const outcomes = this.#load(indices);
    indices.forEach((index, place) => {
      const outcome = outcomes.then((all) => all[place]!);
      // An error is told when the row's turn comes, which may be never.
      outcome.catch(() => {});
      this.#coming.push({ index, outcome });
    });
  }
}
