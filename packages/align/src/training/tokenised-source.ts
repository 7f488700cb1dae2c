import type { Tokenizer } from '@keel/model';
import { endsAsText } from '../batching/ends-as-text.ts';
import { unknownToken } from '../batching/unknown-token.ts';
import { DataError, type DataErrorDetails, type Place } from '../data/data-error.ts';
import { atRow } from '../data/row-faults.ts';
import { OrderedSampler, type SamplerState, type Strata } from '../data/shuffle.ts';
import { ReadAhead, type ReadRow } from '../tokenising/read-ahead.ts';
import { RowTokeniser, type RowTokeniserOptions } from '../tokenising/row-tokeniser.ts';
import type { NamedTokenise, Outcome } from '../tokenising/tokenise-rows.ts';

/** Where rows come from; a RowSource is one. */
export interface Rows<Row> {
  readonly length: number;
  readMany(indices: readonly number[]): Promise<Row[]>;
  /** File and line (or row) of a row. */
  place(index: number): Place;
  /** SHA-256 of the content. */
  fingerprint(): Promise<string>;
}

export interface SourceOptions {
  seed: number;
  shuffle: boolean;
  /** Spreads rows over batches by a number of each row. */
  strata?: Strata | null;
  maxLength: number | null;
  /** Most tokens that the model takes; null: no limit. */
  positions?: number | null;
  /** Rows of the model's embedding, which every token must be in; null: not checked. */
  vocabularySize?: number | null;
  /**
   * Whether a row with nothing to score, or with more tokens than the model takes, is an error or
   * is skipped.
   */
  onBadRow?: 'fail' | 'skip';
  /** Called for each row that is skipped as bad. */
  onSkipped?: (fault: DataError) => void;
  /** The option that named the rows, for messages. */
  option?: '--data' | '--eval-data' | '--pretraining-data';
  /** When and by how many threads rows are tokenised ahead. */
  tokenising?: RowTokeniserOptions;
}

/** Rows that a survey reads at a time, in some tens of milliseconds. */
const CHUNK = 32;
/** Chunks in progress for each thread, so that no thread waits for reading. */
const LANE_DEPTH = 2;

/** What is wrong with a row's tokens. */
export type Fault = Omit<DataErrorDetails, keyof Place>;

/** How rows of a kind become tokens, with the options that it takes. */
export interface Tokenising<Row, Tokenised, Options> {
  how: NamedTokenise<Row, Tokenised, Options>;
  options: Options;
}

/**
 * Tokenised rows in training order, epoch after epoch. Threads may tokenise them ahead: dispose it
 * to end them.
 *
 * @typeParam Placed a tokenised row with its place, as trainers take it
 */
export abstract class TokenisedSource<
  Row = unknown,
  Tokenised extends { truncated: boolean; lost?: string[] } = { truncated: boolean },
  Placed = unknown,
  Options = unknown,
> implements Disposable
{
  readonly maxLength: number | null;
  readonly option: NonNullable<SourceOptions['option']>;
  readonly #rows: Rows<Row>;
  readonly #tokenizer: Tokenizer;
  readonly #tokeniser: RowTokeniser<Row, Tokenised, Options>;
  readonly #sampler: OrderedSampler;
  readonly #ahead: ReadAhead<Tokenised>;
  #reading: Promise<unknown> = Promise.resolve();
  readonly #positions: number;
  readonly #vocabularySize: number;
  readonly #skipsBadRows: boolean;
  readonly #onSkipped: (fault: DataError) => void;
  /** Rows that do not fit within the maximum length. */
  readonly tooLong = new Set<number>();
  /** Rows of which an answer was cut. */
  readonly truncated = new Set<number>();
  /** What is wrong with the skipped bad rows. */
  readonly badRows = new Map<number, string>();
  /** Rows with fields of which the chat template drops text. */
  readonly lost = new Map<number, readonly string[]>();
  /**
   * Whether a row was read whose plain answers have no end, because the tokenizer has no
   * end-of-sequence token.
   */
  hasEndless = false;

  /** @throws Error when there are no rows */
  constructor(
    rows: Rows<Row>,
    tokenizer: Tokenizer,
    tokenising: Tokenising<Row, Tokenised, Options>,
    options: SourceOptions,
  ) {
    const { seed, shuffle, strata, maxLength, option = '--data' } = options;
    this.option = option;
    if (rows.length === 0) throw new Error(`${option}: there are no rows to ${this.#purpose}`);
    this.#rows = rows;
    this.#tokenizer = tokenizer;
    this.#tokeniser = new RowTokeniser(
      tokenizer,
      tokenising.how,
      tokenising.options,
      options.tokenising,
    );
    this.maxLength = maxLength;
    this.#positions = options.positions ?? Number.POSITIVE_INFINITY;
    this.#vocabularySize = options.vocabularySize ?? Number.POSITIVE_INFINITY;
    this.#skipsBadRows = options.onBadRow === 'skip';
    this.#onSkipped = options.onSkipped ?? (() => {});
    this.#sampler = new OrderedSampler({ length: rows.length, seed, shuffle, strata });
    this.#ahead = new ReadAhead(
      this.#sampler,
      (indices) => this.#load(indices),
      () => this.#tokeniser.isAhead,
    );
  }

  /** Announces how many rows will be read, which decides whether threads are worth it. */
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

  /** Why a row that is too long is skipped. */
  readonly tooLongReason: string = 'their prompt leaves no room for an answer';
  /** The part of such a row that is too long. */
  protected readonly tooLongPart: string = 'prompt';
  /** What to do where the chat template refuses a row. */
  protected readonly templateAdvice: string | undefined;
  /** Tokens of the row's longest sequence. */
  protected abstract longest(tokenised: Tokenised): number;
  /** The row's sequences of tokens. */
  protected abstract sequences(tokenised: Tokenised): Iterable<readonly number[]>;
  /** Why no token of the row can be scored; null where one can. */
  protected abstract unscored(tokenised: Tokenised): Fault | null;
  protected abstract placed(row: number, tokenised: Tokenised): Placed;

  get length(): number {
    return this.#rows.length;
  }

  /** Number of rows read so far that cannot be used. */
  get leftOut(): number {
    return this.tooLong.size + this.badRows.size;
  }

  /** Number of rows that can be used; rows that were not read yet count. */
  get usable(): number {
    return this.length - this.leftOut;
  }

  /** Passes over the data, with the fraction of the current one. */
  get epoch(): number {
    const { epoch, index } = this.#sampler.state();
    return epoch + index / this.#rows.length;
  }

  /**
   * The next rows. Those that cannot be used are skipped and recorded.
   * @throws Error when no row can be used
   * @throws DataError as {@link read} does
   */
  async next(count: number): Promise<Placed[]> {
    const taken: Placed[] = [];
    while (taken.length < count) {
      taken.push(...this.#usable(await this.#ahead.take(count - taken.length)));
      if (this.usable === 0) this.refuseNothingLeft();
    }
    return taken;
  }

  /**
   * These rows, except those that cannot be used.
   * @throws DataError when a row has nothing to score, is too long for the model, or is one that
   *   the chat template refuses, and bad rows are not skipped
   */
  async read(indices: readonly number[]): Promise<Placed[]> {
    const outcomes = await this.#load(indices);
    return this.#usable(outcomes.map((outcome, place) => ({ index: indices[place]!, outcome })));
  }

  /**
   * Reads every row once, in order. @yields how many were read
   * @throws DataError as {@link read} does
   */
  async *survey(): AsyncIterable<number> {
    const coming: { indices: number[]; outcomes: Promise<Outcome<Tokenised>[]> }[] = [];
    for (let done = 0, sent = 0; done < this.length; ) {
      while (sent < this.length && coming.length < LANE_DEPTH * this.#tokeniser.lanes) {
        const count = Math.min(CHUNK, this.length - sent);
        const indices = Array.from({ length: count }, (_, i) => sent + i);
        const outcomes = this.#load(indices);
        // Reported in its turn: an earlier row's error comes first.
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

  async #load(indices: readonly number[]): Promise<Outcome<Tokenised>[]> {
    // One read at a time: formats need not allow two.
    const reading = this.#reading.then(() => this.#rows.readMany(indices));
    this.#reading = reading.catch(() => {});
    const rows = await reading;
    this.hasEndless ||= this.#tokenizer.eosTokenId === null && rows.some(endsAsText);
    return this.#tokeniser.tokenise(rows);
  }

  #usable(rows: readonly ReadRow<Tokenised>[]): Placed[] {
    return rows.flatMap(({ index, outcome }) => {
      try {
        const tokenised = this.#checked(outcome, index);
        if (tokenised?.truncated) this.truncated.add(index);
        if (tokenised?.lost) this.lost.set(index, tokenised.lost);
        if (tokenised !== null) return [this.placed(index, tokenised)];
        this.tooLong.add(index);
      } catch (error) {
        if (!(error instanceof DataError) || !this.#skipsBadRows) throw error;
        this.badRows.set(index, error.message);
        this.#onSkipped(error);
      }
      return [];
    });
  }

  /** @throws DataError; the tokenising's own error where the row is not at fault */
  #checked(outcome: Outcome<Tokenised>, index: number): Tokenised | null {
    if ('error' in outcome) {
      throw atRow(outcome.error, this.#rows.place(index), this.templateAdvice);
    }
    const { tokens: tokenised } = outcome;
    if (tokenised === null) return null;
    const unscored = this.unscored(tokenised);
    if (unscored !== null) throw new DataError({ ...this.#rows.place(index), ...unscored });
    const unknown = unknownToken(this.sequences(tokenised), this.#tokenizer, this.#vocabularySize);
    if (unknown !== null) throw new DataError({ ...this.#rows.place(index), ...unknown });
    const tokens = this.longest(tokenised);
    if (tokens <= this.#positions) return tokenised;
    throw new DataError({
      ...this.#rows.place(index),
      expected: `at most the ${this.#positions} tokens that the model takes`,
      found: `${tokens} in prompt and answer`,
      advice: `Pass --max-length ${this.#positions} to cut longer rows, or --on-bad-row skip`,
    });
  }

  get #purpose(): string {
    return this.option === '--eval-data' ? 'evaluate on' : 'train on';
  }

  /** @throws Error: no row can be used */
  refuseNothingLeft(): never {
    const [bad] = this.badRows.values();
    const why =
      bad === undefined
        ? `every ${this.tooLongPart} is longer than --max-length ${this.maxLength} leaves room for`
        : `none of the ${this.length} rows can be used; the first bad one: ${bad}`;
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

/** A source of any kind of row. */
export type AnySource<Placed = unknown> = Pick<
  TokenisedSource<unknown, { truncated: boolean }, Placed>,
  keyof TokenisedSource
>;
