// Where log-probabilities of a reference are cached: in memory by row of a dataset or by answer,
// and on disk for later runs.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PromptedAnswer } from '../batching/pack-answers.ts';
import { keepInCache, readCached } from '../runs/optional-cache.ts';

/** Bytes of the SHA-256 that a file begins with. */
const CHECKSUM = 32;
/** Bytes of an answer's key. */
const KEY = 16;

/**
 * Numbers of the rows of a dataset: [rows, W], NaN where none is cached. A row with fewer than W
 * has zeros after them.
 */
export class RowCache {
  readonly #width: number;
  #values: Float32Array;

  constructor(rows: number, width: number) {
    this.#width = width;
    this.#values = new Float32Array(width * rows).fill(Number.NaN);
  }

  has(row: number): boolean {
    return !Number.isNaN(this.#values[this.#width * row]);
  }

  /** [W] */
  get(row: number): number[] {
    return [...this.#values.subarray(this.#width * row, this.#width * (row + 1))];
  }

  set(row: number, numbers: readonly number[]): void {
    this.#values.fill(0, this.#width * row, this.#width * (row + 1));
    this.#values.set(numbers, this.#width * row);
  }

  /** Removes these rows, so that they are computed again. */
  remove(rows: readonly number[]): void {
    const width = this.#width;
    for (const row of rows) this.#values.fill(Number.NaN, width * row, width * (row + 1));
  }

  clear(): void {
    this.#values.fill(Number.NaN);
  }

  /** All numbers, for a checkpoint or a file. */
  get values(): Float32Array {
    return this.#values;
  }

  /** @throws Error where the numbers are those of another number of rows */
  check(values: Float32Array): void {
    if (values.length === this.#values.length) return;
    throw new Error(
      `the saved state has the reference's log-probabilities of ${values.length / this.#width} rows, expected ${this.#values.length / this.#width}`,
    );
  }

  /** @throws Error as {@link check} does */
  restore(values: Float32Array): void {
    this.check(values);
    this.#values = Float32Array.from(values);
  }
}

/** log p(answer | prompt) by content (prompt, answer, scored tokens), in any row. */
export class AnswerCache {
  readonly #values = new Map<string, number>();

  get size(): number {
    return this.#values.size;
  }

  /** undefined where it is not cached */
  get(answer: PromptedAnswer): number | undefined {
    return this.#values.get(keyOf(answer));
  }

  /** Of all of these; undefined where one is not cached. */
  all(answers: readonly PromptedAnswer[]): number[] | undefined {
    const found: number[] = [];
    for (const answer of answers) {
      const value = this.get(answer);
      if (value === undefined) return undefined;
      found.push(value);
    }
    return found;
  }

  /** Adds one. A cached value does not change, and a value that is not finite is not cached. */
  add(answer: PromptedAnswer, value: number): void {
    const key = keyOf(answer);
    if (Number.isFinite(value) && !this.#values.has(key)) this.#values.set(key, value);
  }

  /** All of them: keys [16n] and values [n]. */
  entries(): { keys: Uint8Array; values: Float64Array } {
    const keys = [...this.#values.keys()].map((key) => Buffer.from(key, 'latin1'));
    return {
      keys: Uint8Array.from(Buffer.concat(keys)),
      values: Float64Array.from(this.#values.values()),
    };
  }

  /**
   * Adds what {@link entries} returned.
   * @throws Error where there are not as many keys as values
   */
  addEntries(keys: Uint8Array, values: Float64Array): void {
    if (keys.length !== KEY * values.length) {
      throw new Error(
        `the cached reference has ${keys.length / KEY} keys for ${values.length} answers`,
      );
    }
    const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.length);
    values.forEach((value, at) => {
      const key = bytes.toString('latin1', KEY * at, KEY * (at + 1));
      if (!this.#values.has(key)) this.#values.set(key, value);
    });
  }
}

function keyOf({ prompt, answer: { tokens, scored } }: PromptedAnswer): string {
  const numbers = Int32Array.from([prompt.length, tokens.length, ...prompt, ...tokens]);
  return createHash('sha256')
    .update(numbers)
    .update(Uint8Array.from(tokens, (_, at) => (scored[at] ? 1 : 0)))
    .digest()
    .toString('latin1', 0, KEY);
}

/** What the log-probability of an answer depends on, beside the answer. */
export interface AnswerKey {
  model: string;
  /** Hash of the adapter that is applied to the model, or null. */
  adapter: string | null;
  tokenizer: string;
  precision: string;
  /** LibTorch and kernels: others round differently, and the first loss would not be ln 2. */
  software: string;
}

/** What the log-probabilities of a dataset's rows depend on: any difference gives another file. */
export interface RowsKey extends AnswerKey {
  rows: string;
  maxLength: number | null;
  /** Whether those of first tokens alone are cached too. */
  firstTokens?: boolean;
  /** Most answers of a row, where rows are rankings. */
  width?: number;
}

/** The file for the rows of this key. */
export function rowsPath(cacheFolder: string, key: RowsKey): string {
  const ordered = [
    key.model,
    key.adapter,
    key.tokenizer,
    key.rows,
    key.precision,
    key.software,
    key.maxLength,
    // Absent for most, so that older files are found.
    ...(key.firstTokens ? ['shared'] : []),
    ...(key.width ? [`rankings ${key.width}`] : []),
  ];
  const hash = createHash('sha256').update(JSON.stringify(ordered)).digest('hex');
  return join(cacheFolder, 'reference', `${hash}.f32`);
}

/**
 * Restores rows from a file. One that is damaged or cannot be read is not used.
 * @returns whether it was used
 */
export function loadRows(path: string, cache: RowCache): boolean {
  const body = readChecked(path);
  if (body === null || body.length !== cache.values.byteLength) return false;
  cache.restore(new Float32Array(body.buffer));
  return true;
}

/** @param notice called where the cache cannot be written to: the next run computes them again */
export function saveRows(path: string, { values }: RowCache, notice: (text: string) => void): void {
  writeChecked(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), notice);
}

interface Opened {
  path: string;
  answers: AnswerCache;
  /** Number of answers in the file. */
  saved: number;
}

/**
 * Log-probabilities that runs share, whatever their rows: an answer that one run has scored, the
 * next runs find, in pairs or alone. Only answers that came up are scored, so a short run on many
 * rows costs no more.
 */
export class SharedReferences {
  readonly #folder: string;
  readonly #opened = new Map<string, Opened>();
  #computed = 0;

  /** @param folder where the files are, by content; made with the first file */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Answers that were computed, and not found, up to the last {@link save}. */
  get computed(): number {
    return this.#computed;
  }

  /** The cache of one reference. */
  of({ model, adapter, tokenizer, precision, software }: AnswerKey): AnswerCache {
    const key = JSON.stringify([model, adapter, tokenizer, precision, software]);
    const found = this.#opened.get(key);
    if (found !== undefined) return found.answers;
    const hash = createHash('sha256').update(key).digest('hex');
    const path = join(this.#folder, 'reference', `${hash}.answers`);
    const answers = new AnswerCache();
    loadAnswers(path, answers);
    this.#opened.set(key, { path, answers, saved: answers.size });
    return answers;
  }

  /**
   * Writes what was computed since the last call. Call it when a run ends, however it does.
   * @param notice called where the cache cannot be written to
   */
  save(notice: (text: string) => void = () => {}): void {
    for (const opened of this.#opened.values()) {
      const { path, answers, saved } = opened;
      if (answers.size === saved) continue;
      this.#computed += answers.size - saved;
      // Another process may have added to it meanwhile.
      loadAnswers(path, answers);
      const { keys, values } = answers.entries();
      writeChecked(path, Buffer.concat([Buffer.from(values.buffer), keys]), notice);
      opened.saved = answers.size;
    }
  }
}

/** Adds the answers of a file. One that is damaged is not used. */
function loadAnswers(path: string, answers: AnswerCache): void {
  const body = readChecked(path);
  if (body === null) return;
  // The values, 8 bytes each, and after them the keys.
  const values = (8 * body.length) / (8 + KEY);
  answers.addEntries(body.subarray(values), new Float64Array(body.buffer, 0, values / 8));
}

/** A file's content after its checksum, in a buffer of its own; null where it does not fit. */
function readChecked(path: string): Uint8Array<ArrayBuffer> | null {
  const bytes = readCached(path);
  if (bytes === null) return null;
  const body = new Uint8Array(bytes.subarray(CHECKSUM));
  const sum = createHash('sha256').update(body).digest();
  return sum.equals(bytes.subarray(0, CHECKSUM)) ? body : null;
}

function writeChecked(path: string, body: Uint8Array, notice: (text: string) => void): void {
  const sum = createHash('sha256').update(body).digest();
  keepInCache(path, Buffer.concat([sum, body]), 'reference log-probabilities', notice);
}

/** The log-probabilities that a run shares with others; undefined if it shares none. */
export const sharedReferences = (
  shared: { references?: object } | undefined,
): SharedReferences | undefined =>
  shared?.references instanceof SharedReferences ? shared.references : undefined;
