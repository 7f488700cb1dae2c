// What runs on the same answers have in common: the reference's log-probability of each.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { keepInCache, readCached } from '../runs/optional-cache.ts';
import { KnownAnswers } from './known-answers.ts';
import type { ReferenceKey } from './reference-scores.ts';

/** What the reference's log-probability of an answer depends on beside the answer. */
export type SharedKey = Pick<
  ReferenceKey,
  'model' | 'adapter' | 'tokenizer' | 'precision' | 'software'
>;

interface Opened {
  path: string;
  answers: KnownAnswers;
  /** Answers that the file has. */
  kept: number;
}

/**
 * Reference log-probabilities that runs have in common, whatever their rows are: an answer that one
 * run has scored, the next ones find, on pairs or alone. They are known only for answers that came
 * up, so that a short run on many rows costs no more.
 */
export class SharedReferences {
  readonly #folder: string;
  readonly #opened = new Map<string, Opened>();
  #computed = 0;

  /** @param folder where they are kept, by content; it is made when there is something to keep */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Answers that were computed, and not found, up to the last {@link save}. */
  get computed(): number {
    return this.#computed;
  }

  /** What is known of one reference. */
  of({ model, adapter, tokenizer, precision, software }: SharedKey): KnownAnswers {
    const key = JSON.stringify([model, adapter, tokenizer, precision, software]);
    const found = this.#opened.get(key);
    if (found !== undefined) return found.answers;
    const hash = createHash('sha256').update(key).digest('hex');
    const path = join(this.#folder, 'reference', `${hash}.answers`);
    const answers = new KnownAnswers();
    load(path, answers);
    this.#opened.set(key, { path, answers, kept: answers.size });
    return answers;
  }

  /**
   * Keeps what was computed since; to be called when a run ends, however it does.
   * @param notice is told where the cache cannot be written to
   */
  save(notice: (text: string) => void = () => {}): void {
    for (const opened of this.#opened.values()) {
      const { path, answers, kept } = opened;
      if (answers.size === kept) continue;
      this.#computed += answers.size - kept;
      // Another process may have added to it meanwhile.
      load(path, answers);
      save(path, answers, notice);
      opened.kept = answers.size;
    }
  }
}

/** Bytes of the checksum that a file begins with. */
const CHECKSUM = 32;

/** Adds what a file has; one whose checksum does not fit is not used. */
function load(path: string, answers: KnownAnswers): void {
  const bytes = readCached(path);
  if (bytes === null) return;
  const body = bytes.subarray(CHECKSUM);
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, CHECKSUM))) return;
  // 8 bytes of each value, and after them the 16 of each key.
  const values = (8 * body.length) / 24;
  const copy = Uint8Array.from(body);
  answers.addEntries(copy.subarray(values), new Float64Array(copy.buffer, 0, values / 8));
}

function save(path: string, answers: KnownAnswers, notice: (text: string) => void): void {
  const { keys, values } = answers.entries();
  const body = Buffer.concat([Buffer.from(values.buffer), keys]);
  const sum = createHash('sha256').update(body).digest();
  keepInCache(path, Buffer.concat([sum, body]), 'reference log-probabilities', notice);
}
