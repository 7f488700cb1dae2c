import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
import { writeFileAtomic } from '../runs/atomic-write.ts';
import { scorePairsSteps } from './score-pairs.ts';
import { NonFiniteLossError } from './training-task.ts';

export interface ReferenceOptions {
  /** Role of the model that is the reference; `reference`, the base alone, unless told. */
  role?: Role;
  /** The rows are held-out ones: errors say so. */
  heldOut?: boolean;
  /** Also of each answer's first tokens alone ({@link PairScoring.shared}). */
  shared?: boolean;
}

/**
 * The reference's log-probabilities of every pair of a dataset: [rows, W], chosen and rejected, NaN where not known yet.
 * W is 2, or 4 with those of their first tokens alone.
 * They are computed once for each row, by the base with its adapters off or in another role.
 */
export class ReferenceScores {
  readonly #model: LanguageModel;
  readonly #role: Role;
  readonly #heldOut: boolean;
  readonly #width: 2 | 4;
  #known: Float32Array;

  constructor(model: LanguageModel, rows: number, options: ReferenceOptions = {}) {
    this.#model = model;
    this.#role = options.role ?? 'reference';
    this.#heldOut = options.heldOut ?? false;
    this.#width = options.shared ? 4 : 2;
    this.#known = new Float32Array(this.#width * rows).fill(Number.NaN);
  }

  /** Whether it holds those of first tokens too. */
  get shared(): boolean {
    return this.#width === 4;
  }

  /**
   * [P, W] for the pairs of a batch, in the order of {@link scorePairs}. `rows` are their places in the dataset.
   * @throws NonFiniteLossError naming the rows whose log-probability is no number
   */
  of(batch: PackedPairs, rows: readonly number[]): Tensor {
    return atOnce(this.steps(batch, rows));
  }

  /** As {@link of}, with a pause after every block of the decoder. */
  *steps(batch: PackedPairs, rows: readonly number[]): Steps<Tensor> {
    const width = this.#width;
    if (!rows.every((row) => this.has(row))) {
      const found = yield* noGradSteps(tidySteps(this.#compute(batch)));
      const broken = rows.filter((_, i) => !Number.isFinite(found[2 * i]! + found[2 * i + 1]!));
      if (broken.length > 0) {
        const what = "the reference's log-probability is not finite";
        throw new NonFiniteLossError(what, broken, { heldOut: this.#heldOut });
      }
      rows.forEach((row, index) => {
        for (let part = 0; part < width; part += 2) {
          const from = part * rows.length + 2 * index;
          this.#known.set(found.slice(from, from + 2), width * row + part);
        }
      });
    }
    const values = new Float32Array(width * rows.length);
    rows.forEach((row, index) => {
      values.set(this.#known.subarray(width * row, width * (row + 1)), width * index);
    });
    return tidy(() =>
      fromTypedArray(values, [rows.length, width]).to({ device: this.#model.device }),
    );
  }

  /** [2P] of whole answers, and after them [2P] of their first tokens where those are held. */
  *#compute(batch: PackedPairs): Steps<number[]> {
    const score = scorePairsSteps(this.#model, batch, false, { shared: this.shared });
    const { sums, shared } = yield* this.#model.asSteps(this.#role, score);
    return [...sums.toArray(), ...(shared?.toArray() ?? [])];
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
  ];
  const hash = createHash('sha256').update(JSON.stringify(ordered)).digest('hex');
  return join(cacheFolder, 'reference', `${hash}.f32`);
}

/** Puts cached scores in place. A file whose checksum does not fit is not used. @returns whether it was found */
export function loadReference(path: string, scores: ReferenceScores): boolean {
  if (!existsSync(path)) return false;
  const bytes = readFileSync(path);
  const body = bytes.subarray(32);
  if (body.length !== scores.values.byteLength) return false;
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, 32))) return false;
  scores.restore(new Float32Array(new Uint8Array(body).buffer));
  return true;
}

export function saveReference(path: string, scores: ReferenceScores): void {
  const { values } = scores;
  const body = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic(path, Buffer.concat([createHash('sha256').update(body).digest(), body]));
}
