import type { Tokenizer } from '@keel/model';
import {
  pairTokenising,
  type TokenisedPair,
  type TokeniseOptions,
  unscoredAnswer,
} from '../batching/tokenise-pair.ts';
import { DataError, type Place } from '../data/data-error.ts';
import type { PreferenceRow } from '../data/rows.ts';
import { OrderedSampler, type SamplerState } from '../data/shuffle.ts';
import { ReadAhead, type ReadRow } from '../tokenising/read-ahead.ts';
import { RowTokeniser, type RowTokeniserOptions } from '../tokenising/row-tokeniser.ts';
import type { Outcome } from '../tokenising/tokenise-rows.ts';

/** Where preference rows come from; a RowSource of them is one. */
export interface PreferenceRows {
  readonly length: number;
  readMany(indices: readonly number[]): Promise<PreferenceRow[]>;
  /** File and line (or row) that a row stands in. */
  place(index: number): Place;
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
  /** Most tokens that the model takes; null: no bound. */
  positions?: number | null;
  /** A row with nothing to score, or of more tokens than the model takes, is an error or is left out. */
  onBadRow?: 'fail' | 'skip';
  /** The option that named the rows, for messages. */
  option?: '--data' | '--eval-data';
  /** When and by how many threads rows are tokenised ahead. */
  tokenising?: RowTokeniserOptions;
}

/** Rows that a survey reads at a time: some tens of milliseconds. */
const CHUNK = 32;
/** Chunks under way for each thread, so that none waits for the reading. */
const LANE_DEPTH = 2;

/** Tokenised pairs in training order, epoch after epoch; threads may tokenise them ahead, so it is to be disposed. */
export class PairSource implements Disposable {
  readonly maxLength: number | null;
  readonly option: '--data' | '--eval-data';
  readonly #rows: PreferenceRows;
  readonly #tokeniser: RowTokeniser<PreferenceRow, TokenisedPair, TokeniseOptions>;
  readonly #sampler: OrderedSampler;
  readonly #ahead: ReadAhead<TokenisedPair>;
  #reading: Promise<unknown> = Promise.resolve();
  readonly #positions: number;
  readonly #skipsBadRows: boolean;
  /** Rows whose prompt leaves no room for an answer within the maximum length. */
  readonly tooLong = new Set<number>();
  /** Rows of which an answer was cut. */
  readonly truncated = new Set<number>();
  /** What is wrong with the bad rows that were left out. */
  readonly badRows = new Map<number, string>();

  /** @throws Error when there are no rows */
  constructor(rows: PreferenceRows, tokenizer: Tokenizer, options: PairSourceOptions) {
    const { seed, shuffle, maxLength, option = '--data' } = options;
    this.option = option;
    if (rows.length === 0) throw new Error(`${option}: there are no rows to ${this.#purpose}`);
    this.#rows = rows;
    this.#tokeniser = new RowTokeniser(
      tokenizer,
      pairTokenising,
      { maxLength },
      options.tokenising,
    );
    this.maxLength = maxLength;
    this.#positions = options.positions ?? Number.POSITIVE_INFINITY;
    this.#skipsBadRows = options.onBadRow === 'skip';
    this.#sampler = new OrderedSampler({ length: rows.length, seed, shuffle });
    this.#ahead = new ReadAhead(
      this.#sampler,
      (indices) => this.#load(indices),
      () => this.#tokeniser.isAhead,
    );
  }

  /** Says how many rows will be read from now on: whether threads are worth it depends on it. */
  expect(rows: number, options: { threads?: number } = {}): void {
    this.#tokeniser.expect(rows, options);
  }

  /** Whether a thread tokenises the next rows while a step computes. */
  get isAhead(): boolean {
    return this.#tokeniser.isAhead;
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#tokeniser[Symbol.dispose]();
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Rows read so far that cannot be used. */
  get leftOut(): number {
    return this.tooLong.size + this.badRows.size;
  }

  /** Rows that can be used, as far as is known: all that were not read yet count. */
  get usable(): number {
    return this.length - this.leftOut;
  }

  /** Passes over the data, with the fraction of the one under way. */
  get epoch(): number {
    const { epoch, index } = this.#sampler.state();
    return epoch + index / this.#rows.length;
  }

  /**
   * The next pairs; rows that cannot be used are passed over and remembered.
   * @throws Error when no row can be used
   * @throws DataError as {@link read} does
   */
  async next(count: number): Promise<PlacedPair[]> {
    const taken: PlacedPair[] = [];
    while (taken.length < count) {
      taken.push(...this.#usable(await this.#ahead.take(count - taken.length)));
      if (this.usable === 0) this.refuseNothingLeft();
    }
    return taken;
  }

  /**
   * These rows, but those that cannot be used.
   * @throws DataError when a row has nothing to score, or is too long for the model, and bad rows are not skipped
   */
  async read(indices: readonly number[]): Promise<PlacedPair[]> {
    const outcomes = await this.#load(indices);
    return this.#usable(outcomes.map((outcome, place) => ({ index: indices[place]!, outcome })));
  }

  /**
   * Reads every row once, in order. @yields how many were read
   * @throws DataError as {@link read} does
   */
  async *survey(): AsyncIterable<number> {
    const coming: { indices: number[]; outcomes: Promise<Outcome<TokenisedPair>[]> }[] = [];
    for (let done = 0, sent = 0; done < this.length; ) {
      while (sent < this.length && coming.length < LANE_DEPTH * this.#tokeniser.lanes) {
        const count = Math.min(CHUNK, this.length - sent);
        const indices = Array.from({ length: count }, (_, i) => sent + i);
        const outcomes = this.#load(indices);
        // Told when its turn comes: that of an earlier row goes first.
        outcomes.catch(() => {});
        coming.push({ indices, outcomes });
        sent += count;
        if (!this.#tokeniser.isAhead) break;
      }
      const { indices, outcomes } = coming.shift()!;
      const found = await outcomes;
      this.#usable(found.map((outcome, place) => ({ index: indices[place]!, outcome })));
      done += indices.length;
      yield done;
    }
  }

  async #load(indices: readonly number[]): Promise<Outcome<TokenisedPair>[]> {
    // One reading at a time: formats need not stand two.
    const reading = this.#reading.then(() => this.#rows.readMany(indices));
    this.#reading = reading.catch(() => {});
    return this.#tokeniser.tokenise(await reading);
  }

  #usable(rows: readonly ReadRow<TokenisedPair>[]): PlacedPair[] {
    return rows.flatMap(({ index, outcome }) => {
      if ('error' in outcome) throw outcome.error;
      const pair = outcome.tokens;
      if (pair === null) {
        this.tooLong.add(index);
        return [];
      }
      const fault = this.#faultOf(pair, index);
      if (fault !== null) {
        if (!this.#skipsBadRows) throw fault;
        this.badRows.set(index, fault.message);
        return [];
      }
      if (pair.truncated) this.truncated.add(index);
      return [{ row: index, pair }];
    });
  }

  #faultOf(pair: TokenisedPair, index: number): DataError | null {
    const { prompt, chosen, rejected } = pair;
    const unscored = unscoredAnswer(pair);
    if (unscored !== null) {
      return new DataError({
        ...this.#rows.place(index),
        field: unscored,
        expected: 'an answer of the assistant with a token to score',
        found: `${pair[unscored].tokens.length} tokens, none of which can be scored`,
        advice:
          'The first token of an answer without a prompt cannot be, nor can turns of others. Mend the row, or give --on-bad-row skip',
      });
    }
    const tokens = prompt.length + Math.max(chosen.tokens.length, rejected.tokens.length);
    if (tokens <= this.#positions) return null;
    return new DataError({
      ...this.#rows.place(index),
      expected: `at most the ${this.#positions} tokens that the model takes`,
      found: `${tokens} in prompt and answer`,
      advice: `Give --max-length ${this.#positions}, which cuts longer rows, or --on-bad-row skip`,
    });
  }

  get #purpose(): string {
    return this.option === '--data' ? 'train on' : 'evaluate on';
  }

  /** @throws Error: no row can be used */
  refuseNothingLeft(): never {
    const [bad] = this.badRows.values();
    const why =
      bad === undefined
        ? `every prompt is longer than --max-length ${this.maxLength} leaves room for`
        : `none of the ${this.length} rows can be used, the first bad one: ${bad}`;
    throw new Error(`${this.option}: ${why}; nothing is left to ${this.#purpose}`);
  }

  state(): SamplerState {
    return this.#sampler.state();
  }
  /** @throws RangeError when the state is of other rows */
  check(state: SamplerState): void {
    this.#sampler.check(state);
  }
  /** @throws RangeError as {@link check} does */
  restore(state: SamplerState): void {
    this.#sampler.restore(state);
    this.#ahead.forget();
  }
}
