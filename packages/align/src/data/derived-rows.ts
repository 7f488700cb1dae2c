// Rows derived from other rows, any number from each: the pairs of a ranking, or the subset of a
// file that a run uses.
import { createHash } from 'node:crypto';
import type { Place } from './data-error.ts';
import type { FileHash, RowSource } from './open-rows.ts';
import type { RowKind, RowOf } from './rows.ts';

/** The rows of a run: read from files, or derived from other rows. */
export type DataRows<K extends RowKind> = Pick<RowSource<K>, keyof RowSource<K>>;

export interface Derivation<From extends RowKind, To extends RowKind> {
  kind: To;
  /** Distinguishes this derivation from others of the same rows. */
  name: string;
  /** Deterministic: the same row always gives the same rows. */
  derive(row: RowOf[From]): RowOf[To][];
}

export class DerivedRows<From extends RowKind, To extends RowKind> implements DataRows<To> {
  readonly kind: To;
  readonly length: number;
  readonly #rows: DataRows<From>;
  readonly #derivation: Derivation<From, To>;
  /** Index of each source row's first derived row, then the number of derived rows: [rows + 1] */
  readonly #starts: Float64Array;

  private constructor(
    rows: DataRows<From>,
    derivation: Derivation<From, To>,
    starts: Float64Array,
  ) {
    this.kind = derivation.kind;
    this.length = starts.at(-1)!;
    this.#rows = rows;
    this.#derivation = derivation;
    this.#starts = starts;
  }

  /** Reads all rows once. */
  static async of<From extends RowKind, To extends RowKind>(
    rows: DataRows<From>,
    derivation: Derivation<From, To>,
  ): Promise<DerivedRows<From, To>> {
    const starts = new Float64Array(rows.length + 1);
    let at = 0;
    for await (const row of rows.iterate()) {
      starts[at + 1] = starts[at]! + derivation.derive(row).length;
      at += 1;
    }
    return new DerivedRows(rows, derivation, starts);
  }

  get files(): readonly string[] {
    return this.#rows.files;
  }
  get badRows(): RowSource<To>['badRows'] {
    return this.#rows.badRows;
  }
  get badRowCount(): number {
    return this.#rows.badRowCount;
  }
  /** Of the source rows. */
  get plainCount(): number {
    return this.#rows.plainCount;
  }

  /** The place of the source row. */
  place(index: number): Place {
    return this.#rows.place(this.#find(index)[0]);
  }

  async read(index: number): Promise<RowOf[To]> {
    return (await this.readMany([index]))[0]!;
  }

  async readMany(indices: ArrayLike<number>): Promise<RowOf[To][]> {
    const places = Array.from(indices, (index) => this.#find(index));
    const wanted = [...new Set(places.map(([row]) => row))];
    const found = await this.#rows.readMany(wanted);
    const derived = new Map(
      wanted.map((row, at) => [row, this.#derivation.derive(found[at]!)] as const),
    );
    return places.map(([row, own]) => derived.get(row)![own]!);
  }

  async *iterate(from = 0): AsyncIterable<RowOf[To]> {
    if (from >= this.length) return;
    const [first, own] = this.#find(from);
    let skipped = own;
    for await (const row of this.#rows.iterate(first)) {
      yield* this.#derivation.derive(row).slice(skipped);
      skipped = 0;
    }
  }

  async fingerprint(): Promise<string> {
    const hash = createHash('sha256').update(await this.#rows.fingerprint());
    return hash.update(`\n${this.#derivation.name}`).digest('hex');
  }

  fileHashes(): Promise<FileHash[]> {
    return this.#rows.fileHashes();
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The source row of a derived row, and the derived row's index within it. */
  #find(index: number): [row: number, own: number] {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length)) {
      throw new RangeError(`row ${index} is out of range: expected 0 to ${this.length - 1}`);
    }
    let [low, high] = [0, this.#rows.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle;
    }
    return [low, index - this.#starts[low]!];
  }
}
