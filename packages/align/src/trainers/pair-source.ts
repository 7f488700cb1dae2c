import type { Tokenizer } from '@keel/model';
import { type TokenisedPair, tokenisePair } from '../batching/tokenise-pair.ts';
import type { PreferenceRow } from '../data/rows.ts';
import { OrderedSampler, type SamplerState } from '../data/shuffle.ts';

/** Where preference rows come from; a RowSource of them is one. */
export interface PreferenceRows {
  readonly length: number;
  readMany(indices: readonly number[]): Promise<PreferenceRow[]>;
  /** SHA-256 of the content. */
  fingerprint(): Promise<string>;
}

export interface PlacedPair {
  /** Place of the row in its dataset. */
  row: number;
  pair: TokenisedPair;
}

export interface PairSourceOptions {
  seed: number;
  shuffle: boolean;
  maxLength: number | null;
}

/** Tokenised pairs in training order, epoch after epoch. */
export class PairSource {
  readonly #rows: PreferenceRows;
  readonly #tokenizer: Tokenizer;
  readonly #sampler: OrderedSampler;
  readonly #maxLength: number | null;
  /** Rows whose prompt alone fills the maximum length. */
  readonly tooLong = new Set<number>();
  /** Rows of which an answer was cut. */
  readonly truncated = new Set<number>();

  constructor(
    rows: PreferenceRows,
    tokenizer: Tokenizer,
    { seed, shuffle, maxLength }: PairSourceOptions,
  ) {
    if (rows.length === 0) throw new Error('there are no rows to train on');
    this.#rows = rows;
    this.#tokenizer = tokenizer;
    this.#maxLength = maxLength;
    this.#sampler = new OrderedSampler({ length: rows.length, seed, shuffle });
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Passes over the data, with the fraction of the one under way. */
  get epoch(): number {
    const { epoch, index } = this.#sampler.state();
    return epoch + index / this.#rows.length;
  }

  /**
   * The next pairs; rows that are too long are passed over and remembered.
   * @throws Error when no row fits the maximum length
   */
  async next(count: number): Promise<PlacedPair[]> {
    const taken: PlacedPair[] = [];
    while (taken.length < count) {
      taken.push(...(await this.read(this.#sampler.take(count - taken.length))));
      if (this.tooLong.size === this.#rows.length) {
        throw new Error(
          `every prompt is longer than --max-length ${this.#maxLength}: nothing is left to train on`,
        );
      }
    }
    return taken;
  }

  /** These rows, but those that are too long. */
  async read(indices: readonly number[]): Promise<PlacedPair[]> {
    const rows = await this.#rows.readMany(indices);
    return rows.flatMap((row, place) => {
      const index = indices[place]!;
      const pair = tokenisePair(row, this.#tokenizer, { maxLength: this.#maxLength });
      if (pair === null) {
        this.tooLong.add(index);
        return [];
      }
      if (pair.truncated) this.truncated.add(index);
      return [{ row: index, pair }];
    });
  }

  state(): SamplerState {
    return this.#sampler.state();
  }
  restore(state: SamplerState): void {
    this.#sampler.restore(state);
  }
}
