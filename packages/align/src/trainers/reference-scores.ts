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
}

/**
 * The reference's log-probabilities of every pair of a dataset: [rows, 2], chosen and rejected, NaN where not known yet.
 * They are computed once for each row, by the base with its adapters off or in another role.
 */
export class ReferenceScores {
  readonly #model: LanguageModel;
  readonly #role: Role;
  readonly #heldOut: boolean;
  #known: Float32Array;

  constructor(model: LanguageModel, rows: number, options: ReferenceOptions = {}) {
    this.#model = model;
    this.#role = options.role ?? 'reference';
    this.#heldOut = options.heldOut ?? false;
    this.#known = new Float32Array(2 * rows).fill(Number.NaN);
  }

  /**
   * [2P] for the pairs of a batch, in the order of {@link scorePairs}. `rows` are their places in the dataset.
   * @throws NonFiniteLossError naming the rows whose log-probability is no number
   */
  of(batch: PackedPairs, rows: readonly number[]): Tensor {
    return atOnce(this.steps(batch, rows));
  }

  /** As {@link of}, with a pause after every block of the decoder. */
  *steps(batch: PackedPairs, rows: readonly number[]): Steps<Tensor> {
    if (rows.some((row) => Number.isNaN(this.#known[2 * row]))) {
      const sums = yield* noGradSteps(tidySteps(this.#sums(batch)));
      const broken = rows.filter((_, i) => !Number.isFinite(sums[2 * i]! + sums[2 * i + 1]!));
      if (broken.length > 0) {
        const what = "the reference's log-probability is not finite";
        throw new NonFiniteLossError(what, broken, { heldOut: this.#heldOut });
      }
      rows.forEach((row, index) => {
        this.#known[2 * row] = sums[2 * index]!;
        this.#known[2 * row + 1] = sums[2 * index + 1]!;
      });
    }
    const values = Float32Array.from(
      rows.flatMap((row) => [this.#known[2 * row]!, this.#known[2 * row + 1]!]),
    );
    return tidy(() => fromTypedArray(values).to({ device: this.#model.device }));
  }

  *#sums(batch: PackedPairs): Steps<number[]> {
    const score = scorePairsSteps(this.#model, batch, false);
    const { sums } = yield* this.#model.asSteps(this.#role, score);
    return sums.toArray();
  }

  /** Whether a row has been computed. */
  has(row: number): boolean {
    return !Number.isNaN(this.#known[2 * row]);
  }

  /** The next time that a row is asked for, it is computed again. */
  forget(rows: readonly number[]): void {
    for (const row of rows) this.#known.fill(Number.NaN, 2 * row, 2 * row + 2);
  }

  /** All of it, for a checkpoint or the cache. */
  get values(): Float32Array {
    return this.#known;
  }

  /** @throws Error when it is of another number of rows */
  check(values: Float32Array): void {
    if (values.length !== this.#known.length) {
      throw new Error(
        `reference scores of ${values.length / 2} rows, expected ${this.#known.length / 2}`,
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
