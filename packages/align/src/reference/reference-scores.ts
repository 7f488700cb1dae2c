import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LanguageModel, Role } from '@keel/model';
import {
  atOnce,
  fromTypedArray,
  noGradSteps,
  type Steps,
  type Tensor,
  tidy,
  tidySteps,
} from '@keel/torch';
import type { PackedPairs } from '../batching/pack-pairs.ts';
import { keepInCache, readCached } from '../runs/optional-cache.ts';
import { NonFiniteLossError } from '../training/training-task.ts';
import type { KnownAnswers } from './known-answers.ts';
import { scorePairsSteps } from './score-pairs.ts';

export interface ReferenceOptions {
  /** Role of the model that is the reference; `reference`, the base alone, unless told. */
  role?: Role;
  /** The rows are held-out ones: errors say so. */
  heldOut?: boolean;
  /** Also of each answer's first tokens alone ({@link PairScoring.shared}). */
  shared?: boolean;
  /** What other runs have computed of the same reference. */
  others?: KnownAnswers | undefined;
}

/**
 * The reference's log-probabilities of every row of a dataset: [rows, W], NaN where not known yet;
 * a row that has fewer than W has zeros after them. They are computed once for each row, by the
 * base with its adapters off or in another role.
 */
export abstract class KeptScores<Batch> {
  readonly model: LanguageModel;
  readonly role: Role;
  readonly #heldOut: boolean;
  readonly #width: number;
  #known: Float32Array;

  constructor(
    model: LanguageModel,
    { rows, width }: { rows: number; width: number },
    options: ReferenceOptions,
  ) {
    this.model = model;
    this.role = options.role ?? 'reference';
    this.#heldOut = options.heldOut ?? false;
    this.#width = width;
    this.#known = new Float32Array(width * rows).fill(Number.NaN);
  }

  /** The numbers of each row of a batch, at most W. `rows` are their places in the dataset. */
  protected abstract compute(
    batch: Batch,
    rows: readonly number[],
  ): Steps<readonly (readonly number[])[]>;

  /**
   * [P, W] for the rows of a batch. `rows` are their places in the dataset.
   * @throws NonFiniteLossError naming the rows whose log-probability is no number
   */
  of(batch: Batch, rows: readonly number[]): Tensor {
    return atOnce(this.steps(batch, rows));
  }

  /** As {@link of}, with a pause after every block of the decoder. */
  *steps(batch: Batch, rows: readonly number[]): Steps<Tensor> {
    const width = this.#width;
    if (!rows.every((row) => this.has(row))) {
      const found = yield* noGradSteps(tidySteps(this.compute(batch, rows)));
      const broken = rows.filter((_, i) => !found[i]!.every(Number.isFinite));
      if (broken.length > 0) {
        const what = "the reference's log-probability is not finite";
        throw new NonFiniteLossError(what, broken, { heldOut: this.#heldOut });
      }
      rows.forEach((row, index) => {
        this.#known.fill(0, width * row, width * (row + 1));
        this.#known.set(found[index]!, width * row);
      });
    }
    const values = new Float32Array(width * rows.length);
    rows.forEach((row, index) => {
      values.set(this.#known.subarray(width * row, width * (row + 1)), width * index);
    });
    return tidy(() =>
      fromTypedArray(values, [rows.length, width]).to({ device: this.model.device }),
    );
  }

  /** Whether a row has been computed. */
  has(row: number): boolean {
    return !Number.isNaN(this.#known[this.#width * row]);
  }

  /** The next time that a row is asked for, it is computed again. */
  forget(rows: readonly number[]): void {
    const width = this.#width;
    for (const row of rows) this.#known.fill(Number.NaN, width * row, width * (row + 1));
  }

  /** The reference is another one now: nothing is known of it. */
  forgetAll(): void {
    this.#known.fill(Number.NaN);
  }

  /** All of it, for a checkpoint or the cache. */
  get values(): Float32Array {
    return this.#known;
  }

  /** @throws Error when it is of another number of rows */
  check(values: Float32Array): void {
    if (values.length !== this.#known.length) {
      throw new Error(
        `reference scores of ${values.length / this.#width} rows, expected ${this.#known.length / this.#width}`,
      );
    }
  }

  /** @throws Error when it is of another number of rows */
  restore(values: Float32Array): void {
    this.check(values);
    this.#known = Float32Array.from(values);
  }
}

/**
 * Of pairs: chosen and rejected, and after them those of their first tokens alone where these are
 * held (W is 2 or 4).
 */
export class ReferenceScores extends KeptScores<PackedPairs> {
  /** Whether it holds those of first tokens too. */
  readonly shared: boolean;
  readonly #others: KnownAnswers | undefined;
  readonly #own = new Set<number>();

  constructor(model: LanguageModel, rows: number, options: ReferenceOptions = {}) {
    const { shared = false, others } = options;
    super(model, { rows, width: shared ? 4 : 2 }, options);
    this.shared = shared;
    this.#others = others;
  }

  /** These rows are computed when they come up, also where other runs have. */
  computeHere(rows: readonly number[]): void {
    for (const row of rows) this.#own.add(row);
  }

  protected *compute(batch: PackedPairs, rows: readonly number[]): Steps<number[][]> {
    const others = this.shared || rows.some((row) => this.#own.has(row)) ? null : this.#others;
    const found = others?.all(batch.answers);
    if (found) return byPair(found);
    const score = scorePairsSteps(this.model, batch, false, { shared: this.shared });
    const { sums, shared } = yield* this.model.asSteps(this.role, score);
    const whole = sums.toArray();
    batch.answers.forEach((answer, at) => {
      this.#others?.add(answer, whole[at]!);
    });
    const first = byPair(shared?.toArray() ?? []);
    return byPair(whole).map((pair, at) => [...pair, ...(first[at] ?? [])]);
  }
}

const byPair = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / 2 }, (_, pair) => values.slice(2 * pair, 2 * pair + 2));

/** What reference scores depend on: any difference gives another place in the cache. */
export interface ReferenceKey {
  model: string;
  /** Hash of the adapter that lies over the model, or null. */
  adapter: string | null;
  tokenizer: string;
  rows: string;
  precision: string;
  /** LibTorch and kernels: other ones round otherwise, and the first loss would not be ln 2. */
  software: string;
  maxLength: number | null;
  /** With those of first tokens alone. */
  shared?: boolean;
  /** Most answers of a row, where rows are rankings. */
  width?: number;
}

/** File of the cache that holds the scores of this key. */
export function referenceCachePath(cacheFolder: string, key: ReferenceKey): string {
  const ordered = [
    key.model,
    key.adapter,
    key.tokenizer,
    key.rows,
    key.precision,
    key.software,
    key.maxLength,
    // Not there for most: their places in the cache are those of before.
    ...(key.shared ? ['shared'] : []),
    ...(key.width ? [`rankings ${key.width}`] : []),
  ];
  const hash = createHash('sha256').update(JSON.stringify(ordered)).digest('hex');
  return join(cacheFolder, 'reference', `${hash}.f32`);
}

/** Scores of whatever rows. */
type SavedScores = Pick<KeptScores<never>, 'values' | 'restore'>;

/**
 * Puts cached scores in place. A file whose checksum does not fit is not used, nor one that cannot
 * be read.
 * @returns whether it was found
 */
export function loadReference(path: string, scores: SavedScores): boolean {
  const bytes = readCached(path);
  if (bytes === null) return false;
  const body = bytes.subarray(32);
  if (body.length !== scores.values.byteLength) return false;
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, 32))) return false;
  scores.restore(new Float32Array(new Uint8Array(body).buffer));
  return true;
}

/**
 * @param notice is told where the cache cannot be written to: the next run computes the scores
 *   again
 */
export function saveReference(
  path: string,
  scores: SavedScores,
  notice: (text: string) => void,
): void {
  const { values } = scores;
  const body = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const sum = createHash('sha256').update(body).digest();
  keepInCache(path, Buffer.concat([sum, body]), 'reference log-probabilities', notice);
}
