import { ChatTemplateError, type Tokenizer } from '@keel/model';
import { DataError, type DataErrorDetails, type Place } from '../data/data-error.ts';
import { OrderedSampler, type SamplerState } from '../data/shuffle.ts';

/** Where rows come from; a RowSource of them is one. */
export interface Rows<Row> {
  readonly length: number;
  readMany(indices: readonly number[]): Promise<Row[]>;
  /** File and line (or row) that a row stands in. */
  place(index: number): Place;
  /** SHA-256 of the content. */
  fingerprint(): Promise<string>;
}

export interface SourceOptions {
  seed: number;
  shuffle: boolean;
  maxLength: number | null;
  /** Most tokens that the model takes; null: no bound. */
  positions?: number | null;
  /** A row with nothing to score, or of more tokens than the model takes, is an error or is left out. */
  onBadRow?: 'fail' | 'skip';
  /** The option that named the rows, for messages. */
  option?: '--data' | '--eval-data';
}

/** What is wrong with a row's tokens. */
export type Fault = Omit<DataErrorDetails, keyof Place>;

/**
 * Tokenised rows in training order, epoch after epoch.
 *
 * @typeParam Placed a tokenised row with its place, as trainers take it
 */
export abstract class TokenisedSource<
  Row = unknown,
  Tokenised extends { truncated: boolean } = { truncated: boolean },
  Placed = unknown,
> {
  readonly maxLength: number | null;
  readonly option: '--data' | '--eval-data';
  readonly #rows: Rows<Row>;
  readonly #tokenizer: Tokenizer;
  readonly #sampler: OrderedSampler;
  readonly #positions: number;
  readonly #skipsBadRows: boolean;
  /** Rows whose prompt leaves no room for an answer within the maximum length. */
  readonly tooLong = new Set<number>();
  /** Rows of which an answer was cut. */
  readonly truncated = new Set<number>();
  /** What is wrong with the bad rows that were left out. */
  readonly badRows = new Map<number, string>();

  /** @throws Error when there are no rows */
  constructor(rows: Rows<Row>, tokenizer: Tokenizer, options: SourceOptions) {
    const { seed, shuffle, maxLength, option = '--data' } = options;
    this.option = option;
    if (rows.length === 0) throw new Error(`${option}: there are no rows to ${this.#purpose}`);
    this.#rows = rows;
    this.#tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.#positions = options.positions ?? Number.POSITIVE_INFINITY;
    this.#skipsBadRows = options.onBadRow === 'skip';
    this.#sampler = new OrderedSampler({ length: rows.length, seed, shuffle });
  }

  /** What to do where the chat template cannot be used on a row. */
  protected readonly templateAdvice: string | undefined;
  /** @returns null where nothing to learn from fits the maximum length */
  protected abstract tokenise(row: Row, tokenizer: Tokenizer): Tokenised | null;
  /** Tokens of the longest sequence that the row gives. */
  protected abstract longest(tokenised: Tokenised): number;
  /** Why nothing of the row can be scored; null where something can. */
  protected abstract unscored(tokenised: Tokenised): Fault | null;
  protected abstract placed(row: number, tokenised: Tokenised): Placed;

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
   * The next rows; those that cannot be used are passed over and remembered.
   * @throws Error when no row can be used
   * @throws DataError as {@link read} does
   */
  async next(count: number): Promise<Placed[]> {
    const taken: Placed[] = [];
    while (taken.length < count) {
      taken.push(...(await this.read(this.#sampler.take(count - taken.length))));
      if (this.usable === 0) this.refuseNothingLeft();
    }
    return taken;
  }

  /**
   * These rows, but those that cannot be used.
   * @throws DataError when a row has nothing to score, is too long for the model, or is one that the chat template refuses,
   *   and bad rows are not skipped
   */
  async read(indices: readonly number[]): Promise<Placed[]> {
    const rows = await this.#rows.readMany(indices);
    return rows.flatMap((row, place) => {
      const index = indices[place]!;
      try {
        const tokenised = this.#checked(row, index);
        if (tokenised?.truncated) this.truncated.add(index);
        if (tokenised !== null) return [this.placed(index, tokenised)];
        this.tooLong.add(index);
      } catch (error) {
        if (!(error instanceof DataError) || !this.#skipsBadRows) throw error;
        this.badRows.set(index, error.message);
      }
      return [];
    });
  }

  /** @throws DataError */
  #checked(row: Row, index: number): Tokenised | null {
    const tokenised = this.#tokenise(row, index);
    if (tokenised === null) return null;
    const unscored = this.unscored(tokenised);
    if (unscored !== null) throw new DataError({ ...this.#rows.place(index), ...unscored });
    const tokens = this.longest(tokenised);
    if (tokens <= this.#positions) return tokenised;
    throw new DataError({
      ...this.#rows.place(index),
      expected: `at most the ${this.#positions} tokens that the model takes`,
      found: `${tokens} in prompt and answer`,
      advice: `Give --max-length ${this.#positions}, which cuts longer rows, or --on-bad-row skip`,
    });
  }

  #tokenise(row: Row, index: number): Tokenised | null {
    try {
      return this.tokenise(row, this.#tokenizer);
    } catch (cause) {
      if (!(cause instanceof ChatTemplateError)) throw cause;
      const { message: found } = cause;
      const fault = { ...this.#rows.place(index), found, advice: this.templateAdvice };
      throw new DataError(fault, { cause });
    }
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
  }
}
